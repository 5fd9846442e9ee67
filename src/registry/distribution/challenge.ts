/** The header WWW-Authenticate: which schemes a registry accepts, with their parameters. RFC 9110, section 11.6.1. Pure. */

export interface Challenge {
  /** In lower case: `basic`, `bearer`. */
  readonly scheme: string;
  /** Names are in lower case; of a name that occurs twice, the first value. */
  readonly parameters: ReadonlyMap<string, string>;
}

const token = "[!#$%&'*+.^_`|~0-9A-Za-z-]+";
const separator = /[ \t,]*/y;
const scheme = new RegExp(`(${token})(?:[ \\t]+|(?=,)|$)`, 'y');
const parameter = new RegExp(`(${token})[ \\t]*=[ \\t]*(?:(${token})|"((?:[^"\\\\]|\\\\.)*)")[ \\t]*(?=,|$)`, 'y');
/** The other form of credentials, as Negotiate has it. */
const token68 = /[\w.~+/-]+=*[ \t]*(?=,|$)/y;

/**
 * Stops at the first part that does not follow the grammar: what was read before it counts.
 *
 * @param header one value for each line of the header
 */
export function parseChallenges(header: string | readonly string[] | undefined): readonly Challenge[] {
  const text = typeof header === 'string' ? header : (header ?? []).join(', ');
  const challenges: { scheme: string; parameters: Map<string, string> }[] = [];
  let position = 0;
  const take = (expression: RegExp): RegExpExecArray | null => {
    expression.lastIndex = position;
    const match = expression.exec(text);
    if (match !== null) position += match[0].length;
    return match;
  };
  for (;;) {
    take(separator);
    const current = challenges.at(-1);
    const found = current === undefined ? null : take(parameter);
    if (current !== undefined && found !== null) {
      const [, name = '', plain, quoted = ''] = found;
      const key = name.toLowerCase();
      if (!current.parameters.has(key)) current.parameters.set(key, plain ?? quoted.replaceAll(/\\(.)/g, '$1'));
      continue;
    }
    const [, name] = take(scheme) ?? [];
    if (name === undefined) return challenges;
    challenges.push({ scheme: name.toLowerCase(), parameters: new Map() });
    if (!startsParameter(text, position)) take(token68);
  }
}

function startsParameter(text: string, position: number): boolean {
  parameter.lastIndex = position;
  return parameter.test(text);
}
