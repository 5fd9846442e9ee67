/** Whether one pattern matches everything that another one matches: then a rule is shadowed or a source excluded. */
import { globCovers } from './glob.ts';
import { withoutPort } from '../image/host.ts';
import type { NamePattern, Pattern } from './pattern.ts';

/** Sound, not complete: also false where it cannot be decided, as for two different regular expressions. */
export function covers(outer: Pattern, inner: Pattern): boolean {
  if (outer.text === inner.text && outer.kind === inner.kind) return true;
  if (outer.kind === 'name' && outer.text === '*') return true;
  return outer.kind === 'name' && inner.kind === 'name' && coversName(outer, inner);
}

function coversName(outer: NamePattern, inner: NamePattern): boolean {
  if (inner.text === '*' || !coversHost(outer, inner)) return false;
  if (outer.tag !== null || outer.digest !== null) {
    return outer.tag === inner.tag && outer.digest === inner.digest && outer.path.length === inner.path.length && coversPath(outer, inner);
  }
  return coversPath(outer, inner);
}

function coversHost(outer: NamePattern, inner: NamePattern): boolean {
  if (outer.anyPort) return globCovers(outer.host, inner.anyPort ? inner.host : withoutPort(inner.host));
  return !inner.anyPort && globCovers(outer.host, inner.host);
}

function coversPath(outer: NamePattern, inner: NamePattern): boolean {
  if (outer.path.length > inner.path.length) return false;
  return outer.path.every((component, index) => globCovers(component, inner.path[index] ?? ''));
}
