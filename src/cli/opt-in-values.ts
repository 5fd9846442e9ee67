/** Values of the label transship.dev/rewrite that flags give a meaning: no value may have two. */
import { OperatorError } from '../errors/operator-error.ts';
import { optOutValue } from '../pod/labels.ts';

/**
 * @param meanings flags with the values that each of them names
 * @throws OperatorError (USAGE)
 */
export function refuseSharedValues(meanings: readonly (readonly [flag: string, values: readonly string[]])[]): void {
  const flagOf = new Map<string, string>();
  for (const [flag, values] of meanings)
    for (const value of new Set(values)) {
      const other = flagOf.get(value);
      if (value === optOutValue)
        throw new OperatorError(
          'USAGE',
          `${flag} is ${value}, the value that opts a namespace or a pod out of every release`,
          'use another value',
        );
      if (other !== undefined) throw new OperatorError('USAGE', `${other} and ${flag} both have ${value}`, 'give each its own value');
      flagOf.set(value, flag);
    }
}
