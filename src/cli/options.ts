/** The flags of a command, with mistakes told by name. */
import { parseArgs, type ParseArgsConfig } from 'node:util';
import { nearest } from '../rules/nearest.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { messageOf } from '../errors/message.ts';

type Flags = NonNullable<ParseArgsConfig['options']>;
type Parsed<T extends Flags> = ReturnType<typeof parseArgs<{ args: string[]; options: T; allowPositionals: true; strict: true }>>;

/** What every command that decides images takes. */
export const policyFlags = { policy: { type: 'string' }, 'resolved-hosts': { type: 'string' } } as const;

export const fileFlag = { file: { type: 'string', short: 'f', multiple: true, default: [] as string[] } } as const;

export const namespaceFlag = { namespace: { type: 'string', short: 'n' } } as const;

export const policyFlagsHelp = `  --policy FILE                the policy file (required)
  --resolved-hosts FILE        hosts that the controller resolved, a YAML map of registry to host, as serve takes it`;

/** @throws OperatorError (USAGE) that names the flag */
export function parseFlags<const T extends Flags>(args: readonly string[], options: T): Parsed<T> {
  try {
    return parseArgs({ args: [...args], options, allowPositionals: true, strict: true });
  } catch (error) {
    throw usageError(error, Object.keys(options));
  }
}

function usageError(cause: unknown, known: readonly string[]): OperatorError {
  const message = messageOf(cause);
  const unknown = /^Unknown option '(-{1,2}([^']*))'/.exec(message);
  if (unknown === null) return new OperatorError('USAGE', message, undefined, { cause });
  const [, flag = '', name = ''] = unknown;
  const near = nearest(name, known);
  const remedy = near === null ? `flags are ${known.map((word) => `--${word}`).join(', ')}` : `did you mean --${near}?`;
  return new OperatorError('USAGE', `unknown flag ${flag}`, remedy, { cause });
}

/** @throws OperatorError (USAGE) when the value is none of the known ones */
export function oneOf<T extends string>(flag: string, value: string, known: readonly T[]): T {
  const found = known.find((candidate) => candidate === value);
  if (found !== undefined) return found;
  throw new OperatorError('USAGE', `${flag} takes ${known.join(' or ')}, not ${JSON.stringify(value)}`);
}

/** `k=v` of `--label`, as Kubernetes writes labels. */
export function labelsOf(pairs: readonly string[]): Record<string, string> {
  const entries = pairs.map((pair) => {
    const equals = pair.indexOf('=');
    if (equals < 1) throw new OperatorError('USAGE', `--label takes KEY=VALUE, not ${JSON.stringify(pair)}`);
    return [pair.slice(0, equals), pair.slice(equals + 1)] as const;
  });
  return Object.fromEntries(entries);
}

/** @throws OperatorError (USAGE) for words that the command has no use for */
export function noArguments(positionals: readonly string[], remedy: string): void {
  if (positionals[0] !== undefined) throw new OperatorError('USAGE', `unexpected argument ${JSON.stringify(positionals[0])}`, remedy);
}

/** @throws OperatorError (USAGE) when stdin is named twice: it can be read once */
export function stdinOnce(names: readonly string[]): void {
  if (names.filter((name) => name === '-').length > 1)
    throw new OperatorError('USAGE', '- (standard input) can be read once only', 'name it once');
}
