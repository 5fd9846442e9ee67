/**
 * Variants of a review in which one thing is different: every member and element in turn, whatever it is, and members that are not
 * there but that the reader asks for. Which fields a decision reads is not known here.
 */
import type { Json } from './pod.ts';

type Path = readonly (string | number)[];

export interface Variant {
  /** Where, and what it became. */
  readonly says: string;
  readonly document: Json;
}

type Read = (document: unknown) => unknown;

/** Keys by the path of their object: all that the reader looked for, whether it was there or not. */
type AskedKeys = ReadonlyMap<string, ReadonlySet<string>>;

function askedKeys(document: Json, read: Read): AskedKeys {
  const asked = new Map<string, Set<string>>();
  const watched = (value: unknown, path: Path): unknown => {
    if (typeof value !== 'object' || value === null) return value;
    const keys = asked.get(keyOf(path)) ?? new Set<string>();
    asked.set(keyOf(path), keys);
    const note = (key: string | symbol): void => void (typeof key === 'string' && keys.add(key));
    return new Proxy(value, {
      has: (target, key) => (note(key), Reflect.has(target, key)),
      getOwnPropertyDescriptor: (target, key) => (note(key), Reflect.getOwnPropertyDescriptor(target, key)),
      get: (target, key) => {
        note(key);
        const member: unknown = Reflect.get(target, key);
        return typeof key === 'string' ? watched(member, [...path, key]) : member;
      },
    });
  };
  read(watched(document, []));
  return asked;
}

function keyOf(path: Path): string {
  return JSON.stringify(path.map(String));
}

/** The document with something wherever the reader looks for what is not there: objects as deep as it looks, and a text at the end. */
export function filledOut(document: Json, read: Read): Json {
  let filled = document;
  for (let depth = 0; depth < 4; depth += 1) filled = withAdditions(filled, askedKeys(filled, read));
  return JSON.parse(JSON.stringify(filled, (_key, value: unknown) => (value === null || JSON.stringify(value) !== '{}' ? value : 'x')));
}

function withAdditions(document: Json, asked: AskedKeys): Json {
  const copy = structuredClone(document);
  for (const { path, change } of additions(document, [], { asked, kinds: [{}] }))
    change(holder(copy, path.slice(0, -1)), path.at(-1) ?? '');
  return copy;
}

export function variantsOf(document: Json, read: Read): Variant[] {
  const asked = askedKeys(document, read);
  return [...changes(document, []), ...additions(document, [], { asked, kinds })].map(({ path, says, change }) => {
    const copy = structuredClone(document);
    change(holder(copy, path.slice(0, -1)), path.at(-1) ?? '');
    return { says: `${path.join('/')}: ${says}`, document: copy };
  });
}

interface Change {
  readonly path: Path;
  readonly says: string;
  readonly change: (holder: { [key: string | number]: Json }, key: string | number) => void;
}

/** A value of each kind. */
const kinds: readonly Json[] = [null, true, 1, '', 'x', { x: 'x' }, [], ['x']];

function* changes(value: Json, path: Path): Generator<Change> {
  if (path.length > 0) {
    yield { path, says: 'removed', change: remove };
    for (const kind of [...kinds, ...otherTexts(value)]) yield { path, says: JSON.stringify(kind), change: set(kind) };
    if (typeof value === 'boolean') yield { path, says: 'the opposite', change: set(!value) };
    if (typeof path.at(-1) === 'string') yield { path, says: 'another key of that length', change: rename };
  }
  if (typeof value !== 'object' || value === null) return;
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, member] of entries) yield* changes(member, [...path, key]);
}

interface Additions {
  readonly asked: AskedKeys;
  readonly kinds: readonly Json[];
}

function* additions(value: Json, path: Path, wanted: Additions): Generator<Change> {
  if (typeof value !== 'object' || value === null) return;
  const keys = Array.isArray(value) ? [] : (wanted.asked.get(keyOf(path)) ?? []);
  for (const key of keys) {
    if (Object.hasOwn(value, key)) continue;
    for (const kind of wanted.kinds) yield { path: [...path, key], says: `added ${JSON.stringify(kind)}`, change: set(kind) };
  }
  const entries = Array.isArray(value) ? value.entries() : Object.entries(value);
  for (const [key, member] of entries) yield* additions(member, [...path, key], wanted);
}

/** Of the same length, longer, with an escape, and with characters of several bytes. */
function otherTexts(value: Json): string[] {
  if (typeof value !== 'string' || value === '') return [];
  const last = value.at(-1) === 'z' ? 'y' : 'z';
  return [value.slice(0, -1) + last, value + last, `"${value.slice(1)}`, `${value.slice(0, -1)}ü`];
}

function set(value: Json): Change['change'] {
  // Not an assignment: `__proto__` is a member like any other. A copy, or one object would stand in several places.
  return (object, key) =>
    void Object.defineProperty(object, key, { value: structuredClone(value), enumerable: true, configurable: true, writable: true });
}

function remove(object: { [key: string | number]: Json }, key: string | number): void {
  if (Array.isArray(object)) object.splice(Number(key), 1);
  else delete object[key];
}

function rename(object: { [key: string | number]: Json }, key: string | number): void {
  const { [key]: value = null } = object;
  const entries = Object.entries(object).map(([name, member]): [string, Json] =>
    name === key ? [`${name.slice(0, -1)}~`, value] : [name, member],
  );
  for (const name of Object.keys(object)) delete object[name];
  for (const [name, member] of entries) set(member)(object, name);
}

function holder(document: Json, path: Path): { [key: string | number]: Json } {
  let at: unknown = document;
  for (const key of path) at = (at as { [key: string | number]: unknown })[key];
  return at as { [key: string | number]: Json };
}
