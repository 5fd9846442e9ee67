/** Example images of a pattern, chosen so that transforms that drop a part of the name give two of them the same name. */
import type { NamePattern, Pattern } from '../../rules/pattern.ts';
import { isGlob } from '../../rules/glob.ts';

/** The single repository that a pattern names, without tag and digest; null if it matches several. */
export function repositoryOf(pattern: Pattern): { readonly host: string; readonly path: string } | null {
  if (pattern.kind === 'regex' || pattern.anyPort || pattern.path.length === 0 || isGlob(pattern.text)) return null;
  const { host, path, tag, digest } = pattern;
  // quay.io/acme is usually an organisation, quay.io/acme/app a repository.
  return path.length > 1 || tag !== null || digest !== null ? { host, path: path.join('/') } : null;
}

/** @param leaves last components to try */
export function exampleImages(pattern: Pattern, leaves: readonly string[]): string[] {
  const repository = repositoryOf(pattern);
  if (repository !== null) return [`${repository.host}/${repository.path}`];
  if (pattern.kind === 'regex') return [...below(pattern.prefix, leaves), ...leaves.map((leaf) => `${pattern.prefix}${leaf}`)];
  const [a, b] = [filled(pattern, 'team-a'), filled(pattern, 'team-b')];
  if (pattern.path.length > 1) return [a, b];
  if (pattern.path.length === 1) return [...leaves.map((leaf) => `${a}/${leaf}`), ...leaves.map((leaf) => `${b}/${leaf}`)];
  if (pattern.text === '*') return [...below('quay.io/', leaves), ...below('ghcr.io/', leaves)];
  return [...below(`${a}/`, leaves), ...below(`${b}/`, leaves)];
}

function below(start: string, leaves: readonly string[]): string[] {
  return [...leaves.flatMap((leaf) => [`${start}team-a/${leaf}`, `${start}team-b/${leaf}`]), `${start}team_a/app`, `${start}team/a_app`];
}

/** The pattern with its `*` replaced. */
function filled({ host, path }: NamePattern, word: string): string {
  return [host, ...path].map((part) => part.replaceAll('*', word)).join('/');
}
