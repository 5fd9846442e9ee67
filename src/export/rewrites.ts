/**
 * Rewrites of K3s: expressions of Go over the path of an image, each with a replacement. They are tried in no order, and the first that changes
 * the path is taken (withRewritesFromHost in core/remotes/docker/resolver.go of k3s-io/containerd): so no two may match one path. K3s
 * writes them into TOML as they are, so there is no backslash and no quotation mark in them.
 */
import type { HostMirror } from './host-mirrors.ts';
import { isUnderName, type Name } from './name.ts';

export interface Rewrite {
  readonly expression: string;
  /** With `$1`. */
  readonly replacement: string;
  readonly rule: string;
}

/** One for each part of the host, and for the rest of it. Empty where the whole host has one path, which the endpoint has. */
export function rewritesOf({ host, target, rule, parts }: HostMirror): Rewrite[] {
  if (host === null || target === null || parts.length === 0) return [];
  const regions = [{ name: [host], target, rule: rule ?? '' }, ...parts];
  return regions.flatMap((region): Rewrite[] => {
    const path = region.name.slice(1).join('/');
    const replacement = region.target.slice(1).join('/');
    // The registry has these by the path that they have already.
    if (path === replacement) return [];
    const rest = `(${excluding(belowIn(region.name, parts))})`;
    if (path === '' || replacement === '')
      return [
        { expression: `^${path === '' ? '' : `${literal(path)}/`}${rest}$`, replacement: joined(replacement, '$1'), rule: region.rule },
      ];
    return [{ expression: `^${literal(path)}((?:/${rest.replace('(', '(?:')})?)$`, replacement: `${replacement}$1`, rule: region.rule }];
  });
}

/** The parts below a name that are below no other of them, without the name. */
function belowIn(name: Name, parts: HostMirror['parts']): string[] {
  const below = parts.map((part) => part.name).filter((part) => part.length > name.length && isUnderName(part, name));
  return below
    .filter((part) => !below.some((other) => other !== part && isUnderName(part, other)))
    .map((part) => part.slice(name.length).join('/'));
}

const joined = (...parts: readonly string[]): string => parts.filter((part) => part !== '').join('/');
const literal = (text: string): string => text.replaceAll('.', '[.]');

interface Node {
  readonly children: Map<string, Node>;
  isEnd: boolean;
}

/** Matches a whole path that is none of the names and under none of them: RE2 has no lookaround. */
function excluding(names: readonly string[]): string {
  if (names.length === 0) return '.+';
  const root: Node = { children: new Map(), isEnd: false };
  for (const name of names) {
    let node = root;
    for (const character of name) {
      const next = node.children.get(character) ?? { children: new Map<string, Node>(), isEnd: false };
      node.children.set(character, next);
      node = next;
    }
    node.isEnd = true;
  }
  return alternatives(root, true);
}

/** What may follow the characters that lead to the node. */
function alternatives({ children, isEnd }: Node, isRoot: boolean): string {
  // No path has a tag, but transship import reads the expressions as those of names with one.
  const known = [...children.keys(), ...(isEnd ? ['/', ':', '@'] : [])].toSorted();
  // A dash stands last, where it is no range.
  const others = `[^${known.filter((character) => character !== '-').join('')}${known.includes('-') ? '-' : ''}].*`;
  const below = [...children].map(([character, child]) => `${literal(character)}(?:${alternatives(child, false)})`);
  return [...(isEnd || isRoot ? [] : ['']), others, ...below].join('|');
}
