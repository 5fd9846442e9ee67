/**
 * The value of a scalar for kubectl, Helm and kustomize. They read through sigs.k8s.io/yaml, which resolves scalars like go-yaml v2
 * (https://github.com/yaml/go-yaml/blob/v2/resolve.go): booleans, octal numbers and underscores of YAML 1.1, but no base 60.
 */

/** Integers that a double cannot hold are bigint. */
export type ScalarValue = string | number | bigint | boolean | null;

/** A scalar with a tag that it cannot have: go-yaml, and so kubectl, rejects the document. */
export class TagError extends Error {}

const core = 'tag:yaml.org,2002:';

const words: ReadonlyMap<string, ScalarValue> = new Map<string, ScalarValue>([
  ...spellings(['y', 'yes', 'true', 'on'], true),
  ...spellings(['n', 'no', 'false', 'off'], false),
  ...spellings(['null'], null),
  ['', null],
  ['~', null],
  ...spellings(['.nan'], Number.NaN),
  ...spellings(['.inf', '+.inf'], Infinity),
  ...spellings(['-.inf'], -Infinity),
]);

function spellings(lower: readonly string[], value: ScalarValue): [string, ScalarValue][] {
  return lower.flatMap((word) =>
    [word, word.replace(/[a-z]/, (first) => first.toUpperCase()), word.toUpperCase()].map((text): [string, ScalarValue] => [text, value]),
  );
}

/**
 * @param text the scalar without its quotes, line folding done
 * @param plain whether it is unquoted
 * @param tag the full tag, undefined if absent
 * @throws TagError
 */
export function resolveScalar(text: string, plain: boolean, tag: string | undefined): ScalarValue {
  if (tag === undefined) return plain ? resolvePlain(text) : text;
  const kind = tag.startsWith(core) ? tag.slice(core.length) : '';
  if (kind === 'binary') return Buffer.from(text, 'base64').toString('utf8');
  if (!['null', 'bool', 'int', 'float'].includes(kind)) return text;
  const value = resolvePlain(text);
  if (kindOf(value) === kind || (kind === 'float' && kindOf(value) === 'int')) return value;
  throw new TagError(`${JSON.stringify(text)} is no !!${kind}`);
}

function kindOf(value: ScalarValue): string {
  if (value === null) return 'null';
  if (typeof value === 'boolean') return 'bool';
  if (typeof value === 'string') return 'str';
  return typeof value === 'bigint' || Number.isInteger(value) ? 'int' : 'float';
}

function resolvePlain(text: string): ScalarValue {
  const word = words.get(text);
  if (word !== undefined) return word;
  if (text.startsWith('.')) return /^\.\d+(?:[eE][-+]?\d+)?$/.test(text) ? float(text, text) : text;
  if (!/^[-+\d]/.test(text)) return text;
  const digits = text.replaceAll('_', '');
  const integer = integerOf(digits);
  if (integer !== null) return Number.isSafeInteger(Number(integer)) ? Number(integer) : integer;
  return /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/.test(digits) ? float(digits, text) : text;
}

/** Outside the range of a double it is text. */
function float(digits: string, text: string): number | string {
  const value = Number(digits);
  return Number.isFinite(value) ? value : text;
}

const integer = /^([-+]?)(0[xX][\da-fA-F]+|0[bB][01]+|0[oO]?[0-7]+|0|[1-9]\d*)$/;
const int64Bound = 2n ** 63n;
const uint64Bound = 2n ** 64n;

/** Parsed like Go's ParseInt and ParseUint with base 0; null if neither accepts it, for instance out of range. */
function integerOf(digits: string): bigint | null {
  const [, sign = '', unsigned] = integer.exec(digits) ?? [];
  if (unsigned === undefined) return null;
  const value = BigInt(unsigned.replace(/^0[oO]?(?=[0-7])/, '0o'));
  if (sign === '-') return value <= int64Bound ? -value : null;
  // ParseUint accepts no sign.
  return value < (sign === '+' ? int64Bound : uint64Bound) ? value : null;
}
