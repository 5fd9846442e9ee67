/**
 * Image patterns: what `images` and `exclude` hold. Either a canonical name, host first, with `*` inside one component, or
 * an RE2 expression found in the canonical name with its tag and digest.
 *
 * Compared by component, so `gcr.io/foo` never matches `gcr.io/foobar`, nor `myreg.com` `myreg.com.evil.io`.
 */
import { RE2JS } from 're2js';
import { anchored, digest as digestGrammar, host as hostGrammar, tag as tagGrammar } from '../image/grammar.ts';
import { comparableHost, dockerHub, isHost, withoutPort } from '../image/host.ts';
import { canonicalText, type Reference } from '../image/reference.ts';
import type { PatternMatch } from '../policy/transform/transform.ts';
import type { PatternSource } from '../policy/types.ts';
import { literalPrefix } from './regex.ts';
import { isGlob, matchesGlob } from './glob.ts';

export interface NamePattern {
  readonly kind: 'name';
  readonly text: string;
  /** Normalized for comparison, may contain `*`. Ignored when `anyHost`. */
  readonly host: string;
  readonly anyPort: boolean;
  readonly path: readonly string[];
  readonly tag: string | null;
  readonly digest: string | null;
}

export interface RegexPattern {
  readonly kind: 'regex';
  readonly text: string;
  readonly expression: RE2JS;
  /** The text that every match must start with, empty if unknown. */
  readonly prefix: string;
}

export type Pattern = NamePattern | RegexPattern;

export type ParsedPattern = { readonly ok: true; readonly pattern: Pattern } | { readonly ok: false; readonly problem: string };

export function parsePattern(source: PatternSource): ParsedPattern {
  return typeof source === 'string' ? parseName(source) : parseRegex(source.regex);
}

const hostWithStars = /^(?:\[[a-fA-F0-9:*]+\]|[a-zA-Z0-9.*-]+)(?::(?:[0-9*]+))?$/;
const componentWithStars = /^[a-z0-9._*-]+$/;
const tagExpression = anchored(tagGrammar);
const digestExpression = anchored(digestGrammar);
const hostExpression = anchored(hostGrammar);

function parseName(text: string): ParsedPattern {
  if (text === '*') return { ok: true, pattern: { kind: 'name', text, host: '*', anyPort: false, path: [], tag: null, digest: null } };
  const shape = shapeProblem(text);
  if (shape !== null) return { ok: false, problem: shape };
  const slash = text.indexOf('/');
  const writtenHost = slash === -1 ? text : text.slice(0, slash);
  const hostless = (!isHost(writtenHost) && writtenHost !== '*') || (slash === -1 && isShortImage(text));
  if (hostless) return { ok: false, problem: `the host is missing; write ${withHost(text)}` };
  if (!hostWithStars.test(writtenHost)) return { ok: false, problem: `${writtenHost} is not a registry host` };
  const anyPort = writtenHost.endsWith(':*');
  const host = comparableHost(anyPort ? withoutPort(writtenHost) : writtenHost);
  if (!isGlob(host) && !hostExpression.test(host)) return { ok: false, problem: `${writtenHost} is not a registry host` };
  const { path, tag, digest } = splitRest(slash === -1 ? '' : text.slice(slash + 1));
  const problem = restProblem(host, path, tag, digest);
  if (problem !== null) return { ok: false, problem };
  return { ok: true, pattern: { kind: 'name', text, host, anyPort, path: path === '' ? [] : path.split('/'), tag, digest } };
}

function shapeProblem(text: string): string | null {
  if (text === '') return 'a pattern cannot be empty; * alone matches every image';
  if (text.includes('://')) return 'a pattern starts with the host, without a scheme';
  if (/\s/.test(text)) return 'a pattern contains no white space';
  if (/^\*+$/.test(text)) return 'a single * matches every image';
  if (/[\\^$()|+?{}]/.test(text)) return `${text} is not a name; write a regular expression as { regex: '${text}' }`;
  if (text.endsWith('/')) return `a name matches everything under it already; write ${text.replace(/\/+$/, '')}`;
  return null;
}

/**
 * Whether a text without a slash is an image and not a host with a port: `nginx:1.27`, and also `redis:7`, since no registry without a dot
 * in its name listens below port 80, and nobody would notice a pattern that never matches.
 */
function isShortImage(text: string): boolean {
  const match = /^[a-z0-9_-]+(?:@|:([^@]+))/.exec(text);
  if (match === null || text.startsWith('localhost:')) return false;
  const port = match[1];
  return port === undefined || !/^[0-9*]+$/.test(port) || Number(port) < 80;
}

function withHost(text: string): string {
  return text.includes('/') ? `${dockerHub}/${text}` : `${dockerHub}/library/${text}`;
}

function splitRest(rest: string): { path: string; tag: string | null; digest: string | null } {
  const at = rest.indexOf('@');
  const digest = at === -1 ? null : rest.slice(at + 1);
  const named = at === -1 ? rest : rest.slice(0, at);
  const colon = named.indexOf(':');
  if (colon === -1) return { path: named, tag: null, digest };
  return { path: named.slice(0, colon), tag: named.slice(colon + 1), digest };
}

function restProblem(host: string, path: string, tag: string | null, digest: string | null): string | null {
  if (path === '') return tag === null && digest === null ? null : 'a tag or digest needs a repository before it';
  if (path !== path.toLowerCase()) return `a repository name is lower case, so ${path} never matches`;
  const wrong = path.split('/').find((component) => !componentWithStars.test(component));
  if (wrong !== undefined)
    return wrong === '' ? 'a component between two slashes is empty' : `${wrong} is not a component of a repository name`;
  if (tag !== null && !tagExpression.test(tag))
    return tag.includes('*') ? 'a tag contains no *; without a tag the name matches every tag' : `${tag} is not a tag`;
  if (digest !== null && !digestExpression.test(digest))
    return `${digest} is not a digest: an algorithm and its hexadecimal characters, such as sha256: and 64 of them`;
  const exact = tag !== null || digest !== null;
  if (exact && host === dockerHub && !path.includes('/'))
    return `the canonical name of that image is ${dockerHub}/library/${path}; write it in full`;
  return null;
}

function parseRegex(text: string): ParsedPattern {
  try {
    return { ok: true, pattern: { kind: 'regex', text, expression: RE2JS.compile(text), prefix: literalPrefix(text) } };
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { ok: false, problem: `not an RE2 expression: ${reason} (RE2 has no lookaround and no backreferences)` };
  }
}

/** Matches one image; null if the pattern does not match. */
export function matchPattern(pattern: Pattern, reference: Reference): PatternMatch | null {
  return pattern.kind === 'name' ? matchName(pattern, reference) : matchRegex(pattern, reference);
}

const noCaptures: ReadonlyMap<string, string> = new Map();

function matchName(pattern: NamePattern, reference: Reference): PatternMatch | null {
  if (pattern.text === '*') return { source: pattern.text, remainder: reference.name, captures: noCaptures };
  if (!matchesHost(pattern, reference.comparableHost)) return null;
  if (pattern.tag !== null || pattern.digest !== null) return matchExactly(pattern, reference);
  if (pattern.path.length === 0) return { source: pattern.text, remainder: reference.path, captures: noCaptures };
  const end = matchComponents(pattern.path, reference.path);
  return end === -1 ? null : { source: pattern.text, remainder: reference.path.slice(end + 1), captures: noCaptures };
}

function matchesHost(pattern: NamePattern, host: string): boolean {
  const compared = pattern.anyPort ? withoutPort(host) : host;
  return isGlob(pattern.host) ? matchesGlob(pattern.host, compared) : pattern.host === compared;
}

/** A pattern with a tag or digest names one image: the repository, tag and digest must all be equal. */
function matchExactly(pattern: NamePattern, reference: Reference): PatternMatch | null {
  if (pattern.tag !== reference.tag || pattern.digest !== reference.digest) return null;
  const end = matchComponents(pattern.path, reference.path);
  return end === reference.path.length ? { source: pattern.text, remainder: '', captures: noCaptures } : null;
}

/** Index in the path where the matched components end, -1 if they do not match. */
function matchComponents(components: readonly string[], path: string): number {
  let start = 0;
  let end = -1;
  for (const component of components) {
    if (start > path.length) return -1;
    const slash = path.indexOf('/', start);
    end = slash === -1 ? path.length : slash;
    const text = path.slice(start, end);
    if (component !== text && !(isGlob(component) && matchesGlob(component, text))) return -1;
    start = end + 1;
  }
  return end;
}

function matchRegex(pattern: RegexPattern, reference: Reference): PatternMatch | null {
  const text = comparableText(reference);
  const matcher = pattern.expression.matcher(text);
  if (!matcher.find()) return null;
  const captures = new Map<string, string>();
  for (let index = 0; index <= matcher.groupCount(); index += 1) captures.set(String(index), matcher.group(index) ?? '');
  for (const name of Object.keys(pattern.expression.namedGroups())) captures.set(name, matcher.group(name) ?? '');
  return { source: pattern.text, remainder: reference.name.slice(matcher.end()).replace(/^\//, ''), captures };
}

/** The canonical text with the host in lower case, since hosts are case-insensitive. */
function comparableText(reference: Reference): string {
  const text = canonicalText(reference);
  return reference.host === reference.comparableHost ? text : reference.comparableHost + text.slice(reference.host.length);
}
