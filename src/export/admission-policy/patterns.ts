/**
 * Patterns as CEL compares them. An image has two texts there:
 * - its key, `docker.io/library/nginx/`: every name that ends with a component, and a slash, is a prefix of it
 * - its canonical text, `docker.io/library/nginx:1.27`, for expressions
 */
import type { NamePattern, Pattern, RegexPattern } from '../../rules/pattern.ts';
import { literalHost } from '../../rules/regex.ts';
import { quoted } from './cel.ts';

export interface Test {
  /** Every key of a match begins with it. */
  readonly prefix: string;
  /** RE2, found in the canonical text; empty where the prefix says it all. */
  readonly regex: string;
}

export type TestOf = { readonly ok: true; readonly test: Test } | { readonly ok: false; readonly reason: string };

export function testOf(pattern: Pattern): TestOf {
  return pattern.kind === 'regex' ? ofRegex(pattern) : ofName(pattern);
}

/** Matches all that the pattern does, and more. */
export function widened(pattern: Pattern): Test {
  if (pattern.kind === 'regex') return { prefix: prefixOfRegex(pattern), regex: '' };
  return { prefix: pattern.text === '*' ? '' : literalPrefix(pattern), regex: '' };
}

function ofName(pattern: NamePattern): TestOf {
  const { text, host, anyPort, path, tag, digest } = pattern;
  if (text === '*') return { ok: true, test: { prefix: '', regex: '' } };
  const prefix = literalPrefix(pattern);
  const isPlain = !anyPort && tag === null && digest === null && ![host, ...path].some((part) => part.includes('*'));
  if (isPlain) return { ok: true, test: { prefix, regex: '' } };
  if (anyPort && host.startsWith('*') && host.endsWith('*') && host !== '*')
    return { ok: false, reason: `${text}: CEL cannot tell a port from a part of an IPv6 address there` };
  const exact = tag !== null || digest !== null;
  const suffix = (tag === null ? '' : `:${tag}`) + (digest === null ? '' : `@${digest}`);
  const end = exact ? `${quoted(suffix)}$` : path.length === 0 ? '' : '(?:[/:@]|$)';
  const components = path.map((component) => glob(component, '[^/:@]*')).join('/');
  return { ok: true, test: { prefix, regex: `^${hostRegex(host, anyPort)}/${components}${end}` } };
}

function hostRegex(host: string, anyPort: boolean): string {
  if (!anyPort) return glob(host, '[^/]*');
  if (host === '*') return '[^/]+';
  return `${glob(host, host.startsWith('[') ? '[^/]*' : '[^/:]*')}(?::[0-9]+)?`;
}

function glob(text: string, star: string): string {
  return text.split('*').map(quoted).join(star);
}

/** Up to the first component that is more than a text. */
function literalPrefix({ host, anyPort, path }: NamePattern): string {
  if (anyPort || host.includes('*')) return '';
  const star = path.findIndex((component) => component.includes('*'));
  const parts = star === -1 ? path : path.slice(0, star);
  return [host, ...parts, ''].join('/');
}

function prefixOfRegex({ prefix }: RegexPattern): string {
  const host = literalHost(prefix);
  return host === null ? '' : `${host}/`;
}

function ofRegex(pattern: RegexPattern): TestOf {
  const problem = regexProblem(pattern.text);
  return problem === null
    ? { ok: true, test: { prefix: prefixOfRegex(pattern), regex: pattern.text } }
    : { ok: false, reason: `${pattern.text}: ${problem}` };
}

/** Escapes that mean the same in every implementation of RE2. */
const knownEscape = /^\\(?:[dDsSwWbBAz]|[^A-Za-z0-9]|[afnrtv]|x[0-9a-fA-F]{2})/;
const knownGroup = /^\((?:\?(?:P<\w+>|:|[ims]+\)|[ims]+:))?(?!\?)/;

/**
 * What of the expression the API server may read otherwise, or not at all; null if nothing. It has Go's regexp, whose syntax is
 * https://github.com/google/re2/wiki/Syntax without \C.
 */
function regexProblem(text: string): string | null {
  for (let index = 0; index < text.length; index += 1) {
    const rest = text.slice(index);
    if (rest.startsWith('\\')) {
      if (!knownEscape.test(rest)) return `${rest.slice(0, 2)} is not sure to mean the same in the API server`;
      index += 1;
    } else if (rest.startsWith('(') && !knownGroup.test(rest)) {
      return `${rest.slice(0, 3)} is not sure to mean the same in the API server; write (?:…) or (?P<name>…)`;
    }
  }
  const counts = [...text.matchAll(/\{(\d+)(?:,(\d*))?\}/g)].map(([, low, high]) => Number(high === undefined || high === '' ? low : high));
  const copies = counts.reduce((product, count) => product * Math.max(count, 1), 1);
  return copies > 1000 ? 'it repeats more than a thousand times' : null;
}

/** One expression that finds what any of the patterns matches. */
export function anyOf(tests: readonly Test[]): string {
  return tests.map(({ prefix, regex }) => `(?:${regex === '' ? prefixRegex(prefix) : withoutNames(regex)})`).join('|');
}

/** Groups of two expressions may have one name, and those of one expression may not. */
function withoutNames(regex: string): string {
  return regex.replace(/(\\.|\[\^?\]?(?:\\.|\[:\^?\w+:\]|[^\]\\])*\])|\(\?P<\w+>/gs, (_, other: string | undefined) => other ?? '(?:');
}

function prefixRegex(prefix: string): string {
  if (prefix === '') return '^';
  const name = prefix.slice(0, -1);
  return name.includes('/') ? `^${quoted(name)}(?:[/:@]|$)` : `^${quoted(prefix)}`;
}
