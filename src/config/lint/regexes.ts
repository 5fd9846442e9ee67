/** Expressions that match less or more than intended. They are searched in canonical names, which start with a host. */
import { problem, type PolicyPath, type PolicyProblem } from '../../policy/problem.ts';
import { dockerHub, isHost, legacyDockerHub } from '../../image/host.ts';
import { isAnchored, unescapedDot, type LiteralRun } from '../../rules/regex.ts';
import { isOfficialImage } from './official-images.ts';
import { regexStarts } from './regex-starts.ts';

export function regexWarnings(expression: string, path: PolicyPath): PolicyProblem[] {
  if (/^(?:\.[*+])?$/.test(expression))
    return [problem('regex-matches-everything', path, `the expression ${JSON.stringify(expression)} matches every image; write "*"`)];
  const dot = unescapedDot(expression);
  const misread = regexStarts(expression).map(misreadStart);
  return [
    ...(isAnchored(expression)
      ? []
      : [problem('regex-not-anchored', path, `${expression} is not anchored, so it matches in the middle of a name too; start it with ^`)]),
    ...(dot === null ? [] : [problem('regex-dot', path, `the dot in ${dot} matches any character; write ${dot.replace('.', '\\.')}`)]),
    ...[...new Set(misread)].flatMap((message) => (message === null ? [] : [problem('regex-start', path, message)])),
  ];
}

/** The problem with one possible start of a match; null for none. */
function misreadStart({ literal, rest }: LiteralRun): string | null {
  const scheme = /^https?:\/\//.exec(literal)?.[0];
  if (scheme !== undefined)
    return `^${scheme} matches nothing: a canonical name has no scheme; write ^${quoted(literal.slice(scheme.length) || `${dockerHub}/`)}`;
  const slash = literal.indexOf('/');
  if (slash === -1) return hostless(literal, rest);
  const host = literal.slice(0, slash);
  const path = literal.slice(slash + 1);
  if (host === legacyDockerHub)
    return `^${quoted(host)}/ matches nothing: images of Docker Hub are in ${dockerHub}; write ^${quoted(dockerHub)}/`;
  // Text before the slash may still make it a host: `^[a-z]+\.io/` has an empty literal and is not checked here.
  if (!isHost(host)) return neverMatches(literal);
  const name = path.split(/[:@]/, 1)[0] ?? '';
  if (name !== name.toLowerCase()) return `^${quoted(literal)} matches nothing: a repository name is lower case`;
  if (literal.includes('//')) return `^${quoted(literal)} matches nothing: a component between two slashes is empty`;
  if (host === dockerHub && isOfficialImage(path) && !/^(?:\/|\\?[\w.-])/.test(rest))
    return `^${quoted(literal)} is the organisation ${path}; the official image is ^${quoted(`${dockerHub}/library/${path}`)}`;
  if (rest === '$' && path !== '' && !/[:@]/.test(path))
    return `^${quoted(literal)}$ matches only images without tag and digest, which are part of the text; write ^${quoted(literal)}(?:[:@]|$)`;
  return null;
}

function neverMatches(literal: string): string {
  const path =
    literal.startsWith('library/') || literal.split('/').length > 2 || !isOfficialImage(literal.replace(/\/$/, ''))
      ? literal
      : `library/${literal}`;
  return `^${quoted(literal)} matches nothing: a canonical name begins with its host; write ^${quoted(`${dockerHub}/${path}`)}`;
}

/** An expression without a slash, dot or port is meant for the name of an image. */
function hostless(literal: string, rest: string): string | null {
  if (literal === '' || isHost(literal.replace(/:.*$/, '')) || /^localhost\b/.test(literal)) return null;
  const name = literal.split(/[:@]/, 1)[0] ?? '';
  const isPort = /^[^:@]+:\d*$/.test(literal);
  const mayBecomeHost =
    /[/.]/.test(rest.replaceAll('(.*)', '').replaceAll('.*', '').replaceAll('.+', '')) || (isPort && rest.includes('/'));
  if (mayBecomeHost) return null;
  return `^${quoted(literal)} matches hosts that begin with ${name}, since a canonical name begins with its host; for the image write ^${quoted(`${dockerHub}/library/${name}`)}`;
}

/** As written in an expression. */
function quoted(text: string): string {
  return text.replaceAll('.', '\\.');
}
