/**
 * Names of images as components, the host first: `docker.io`, `library`, `nginx`. No component at all is every image. A pattern without `*`,
 * tag and digest is such a name, and stands for everything under it.
 */
import { matchesGlob } from '../rules/glob.ts';
import { withoutPort } from '../image/host.ts';
import type { Pattern } from '../rules/pattern.ts';

export type Name = readonly string[];

export function isUnderName(name: Name, prefix: Name): boolean {
  return name.length >= prefix.length && prefix.every((component, index) => component === name[index]);
}

export function nameText(name: Name): string {
  return name.length === 0 ? '*' : name.join('/');
}

/** The name that a pattern is; null for a pattern that is more than a name. */
export function nameOfPattern(pattern: Pattern): Name | null {
  if (pattern.kind === 'regex') return null;
  if (pattern.text === '*') return [];
  const { host, anyPort, path, tag, digest } = pattern;
  if (anyPort || tag !== null || digest !== null) return null;
  return [host, ...path].some((component) => component.includes('*')) ? null : [host, ...path];
}

/** Whether an image under the name may match the pattern. True also where it cannot be told. */
export function mayMatchUnder(pattern: Pattern, name: Name): boolean {
  const [host, ...path] = name;
  if (host === undefined) return true;
  if (pattern.kind === 'regex') {
    const text = nameText(name);
    return pattern.prefix.startsWith(text) || text.startsWith(pattern.prefix);
  }
  if (pattern.text === '*') return true;
  if (!matchesGlob(pattern.host, pattern.anyPort ? withoutPort(host) : host)) return false;
  return pattern.path.slice(0, path.length).every((component, index) => matchesGlob(component, path[index] ?? ''));
}
