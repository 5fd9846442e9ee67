/** Names that cannot match any image, or that match something else than they seem to. */
import type { ProblemCode } from '../../policy/problem-codes.ts';
import { problem, type PolicyPath, type PolicyProblem } from '../../policy/problem.ts';
import { anchored, path as pathGrammar } from '../../image/grammar.ts';
import { dockerHub } from '../../image/host.ts';
import { covers } from '../../rules/coverage.ts';
import type { NamePattern, Pattern } from '../../rules/pattern.ts';
import { isOfficialImage } from './official-images.ts';
import { regexWarnings } from './regexes.ts';

/** Other addresses of Docker Hub. Container runtimes treat each as a separate registry; only index.docker.io is an alias of docker.io. */
const otherHubHosts: ReadonlySet<string> = new Set([
  'registry-1.docker.io',
  'registry.hub.docker.com',
  'registry.docker.io',
  'hub.docker.com',
  'docker.com',
]);

const component = anchored(pathGrammar);

/** @param path of the list that contains the patterns */
export function patternWarnings(patterns: readonly Pattern[], path: PolicyPath): PolicyProblem[] {
  return patterns.flatMap((pattern, index) => {
    if (pattern.kind === 'regex') return regexWarnings(pattern.text, [...path, index, 'regex']);
    for (const [code, check] of nameChecks) {
      const message = check(pattern, patterns);
      if (message !== null) return [problem(code, [...path, index], message)];
    }
    return [];
  });
}

/** The first that finds something tells it. */
const nameChecks: readonly (readonly [ProblemCode, (pattern: NamePattern, all: readonly Pattern[]) => string | null])[] = [
  ['docker-hub-host', otherHub],
  ['never-matches', impossible],
  ['organisation-for-image', organisation],
  ['host-for-image', hostOrImage],
];

function otherHub({ text, host, path }: NamePattern, all: readonly Pattern[]): string | null {
  if (!otherHubHosts.has(host)) return null;
  if (host === 'hub.docker.com' || host === 'docker.com')
    return `${text} is the website; images of Docker Hub are in ${dockerHub}, write ${[dockerHub, ...pathOfPage(path)].join('/')}`;
  const wanted = [dockerHub, ...path].join('/');
  const hub = all.some((other) => other.kind === 'name' && other.host === dockerHub);
  return hub ? null : `${text} matches only images that are written with that host; for all of Docker Hub write ${wanted}, or both`;
}

/** The website shows official images at `/_/NAME`, others at `/r/ORGANISATION/NAME`, and organisations at `/u/NAME`. */
function pathOfPage(path: readonly string[]): readonly string[] {
  const [first, ...rest] = path;
  if (first === '_') return ['library', ...rest];
  return first === 'r' || first === 'u' ? rest : path;
}

/** Components that are invalid in a repository, whatever their `*` matches. A letter is valid next to everything. */
function impossible({ text, host, path }: NamePattern): string | null {
  if (path.includes('**') || host === '**') {
    const once = text.replaceAll('**', '*');
    return `** is one component, as * is, and a pattern matches everything under it; write ${once} or { regex: … }`;
  }
  const wrong = path.find((part) => !component.test(part.replaceAll('*', 'a')));
  if (wrong === undefined) return null;
  const rest = path.slice(0, path.indexOf(wrong));
  const before = [host, ...rest].join('/');
  if (wrong === '.*' || wrong === '.*.*')
    return `${wrong} is plain text here, not an expression; write ${before}, which matches everything under it, or { regex: '^${before.replaceAll('.', '\\.')}/' }`;
  return `${text} matches nothing: no component of a repository name looks like ${wrong}; for an expression write { regex: … }`;
}

/** `docker.io/nginx`: a single component on Docker Hub is an organisation, and its images have a second one. */
function organisation(pattern: NamePattern, all: readonly Pattern[]): string | null {
  const [name, ...below] = pattern.path;
  if (pattern.host !== dockerHub || name === undefined || below.length > 0 || !isOfficialImage(name)) return null;
  const image = `${dockerHub}/library/${name}`;
  const both = all.some(
    (other) => other !== pattern && other.kind === 'name' && covers(other, { ...pattern, text: image, path: ['library', name] }),
  );
  return both
    ? null
    : `${pattern.text} is the organisation ${name}; the official image is ${image} (for the organisation write ${pattern.text}/*)`;
}

/** `nginx:*`: one word and a port. Hosts without a dot are nearly always named registry or localhost. */
function hostOrImage({ text, host, anyPort, path }: NamePattern): string | null {
  if (!anyPort || path.length > 0 || host.includes('.') || host.startsWith('[') || host.includes('*') || /registry|^localhost$/.test(host))
    return null;
  return `${text} is a host named ${host} with any port; for the image write ${dockerHub}/library/${host}`;
}
