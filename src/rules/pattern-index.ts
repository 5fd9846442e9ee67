/**
 * Patterns in the order of their rules, indexed by host and first path component, so that finding the candidates for an image costs the
 * same for one rule and for thousands. Patterns without a host are kept separately and tried for every image.
 */
import type { Reference } from '../image/reference.ts';
import { isGlob } from './glob.ts';
import type { Pattern } from './pattern.ts';
import { literalHost } from './regex.ts';

export interface Entry<T> {
  readonly order: number;
  readonly pattern: Pattern;
  readonly value: T;
}

export interface PatternIndex<T> {
  readonly anywhere: readonly Entry<T>[];
  readonly byHost: ReadonlyMap<string, readonly Entry<T>[]>;
  readonly byComponent: ReadonlyMap<string, readonly Entry<T>[]>;
}

/** @param entries in the order in which they are tried */
export function indexPatterns<T>(entries: readonly { readonly pattern: Pattern; readonly value: T }[]): PatternIndex<T> {
  const anywhere: Entry<T>[] = [];
  const byHost = new Map<string, Entry<T>[]>();
  const byComponent = new Map<string, Entry<T>[]>();
  for (const [order, { pattern, value }] of entries.entries()) {
    const entry = { order, pattern, value };
    const host = hostOf(pattern);
    const component = host === null ? null : firstComponent(pattern);
    if (host === null) anywhere.push(entry);
    else if (component === null) append(byHost, host, entry);
    else append(byComponent, `${host}/${component}`, entry);
  }
  return { anywhere, byHost, byComponent };
}

function append<T>(map: Map<string, Entry<T>[]>, key: string, entry: Entry<T>): void {
  const list = map.get(key);
  if (list === undefined) map.set(key, [entry]);
  else list.push(entry);
}

function hostOf(pattern: Pattern): string | null {
  if (pattern.kind === 'regex') return literalHost(pattern.prefix);
  return pattern.anyPort || isGlob(pattern.host) ? null : pattern.host;
}

function firstComponent(pattern: Pattern): string | null {
  if (pattern.kind === 'regex') return null;
  const first = pattern.path[0];
  return first === undefined || isGlob(first) ? null : first;
}

const none: readonly never[] = [];

/**
 * The first candidate, in order, for which `accept` returns something other than null.
 */
export function firstAccepted<T, R>(index: PatternIndex<T>, reference: Reference, accept: (entry: Entry<T>) => R | null): R | null {
  const { comparableHost: host, path } = reference;
  const component = index.byComponent.size === 0 ? none : (index.byComponent.get(`${host}/${firstOf(path)}`) ?? none);
  const wholeHost = index.byHost.get(host) ?? none;
  const { anywhere } = index;
  let a = 0;
  let h = 0;
  let c = 0;
  for (;;) {
    const first = earliest(anywhere[a], wholeHost[h], component[c]);
    if (first === undefined) return null;
    if (first === anywhere[a]) a += 1;
    else if (first === wholeHost[h]) h += 1;
    else c += 1;
    const accepted = accept(first);
    if (accepted !== null) return accepted;
  }
}

function firstOf(path: string): string {
  const slash = path.indexOf('/');
  return slash === -1 ? path : path.slice(0, slash);
}

function earliest<T>(a: Entry<T> | undefined, b: Entry<T> | undefined, c: Entry<T> | undefined): Entry<T> | undefined {
  const firstTwo = a === undefined || (b !== undefined && b.order < a.order) ? b : a;
  return firstTwo === undefined || (c !== undefined && c.order < firstTwo.order) ? c : firstTwo;
}
