/**
 * Reads JSON that was not validated. Every reader declares the fields that it reads, beside itself, and the accessors accept no other key:
 * reading an undeclared field is a type error. The review cache (src/review-cache) skips everything undeclared, so a missing declaration
 * would make it answer without the field.
 *
 * Admission runs before validation, so any JSON value can be anywhere (kubernetes/apiserver, pkg/endpoints/handlers/create.go). A value of
 * the wrong type counts as absent.
 */
import { isObject as isJsonObject } from './json.ts';

/** What is read of a value: a scalar, a string of the pod's identity, some members of an object, or the same of every element of a list. */
export type FieldSelection = typeof scalar | IdentityField | ObjectFields | ListFields;

/** A string, a number, a boolean or null. For an object or a list, only the type is read. */
export const scalar = 'scalar';

/** Strings that differ between pods with the same decision. Used in the response and the log line, never in a decision. */
export type IdentityName = 'uid' | 'name' | 'podName' | 'generateName' | 'ownerName';
export interface IdentityField {
  readonly identity: IdentityName;
}

export type Members = Readonly<Record<string, FieldSelection>>;
export interface ObjectFields<M extends Members = Members> {
  readonly members: M;
  /** The member that the others require; null if each is read by itself. */
  readonly onlyIfPresent: string | null;
  /** Whether the length of the other members is read: keys and strings, in bytes. */
  readonly isMeasured: boolean;
}

/**
 * Maximum number of elements read of one list. No stored pod has as many: an object has at most 1.5 MiB in etcd, and the shortest element,
 * a volume, has at least 24 bytes there.
 */
export const maxListLength = 65_536;

export interface ListFields<E extends FieldSelection = FieldSelection> {
  readonly elements: E;
}

export function identity(name: IdentityName): IdentityField {
  return { identity: name };
}

export function objectOf<const M extends Members>(members: M, onlyIfPresent: (keyof M & string) | null = null): ObjectFields<M> {
  return { members, onlyIfPresent, isMeasured: false };
}

export function measured<M extends Members>(fields: ObjectFields<M>): ObjectFields<M> {
  return { ...fields, isMeasured: true };
}

export function listOf<E extends FieldSelection>(elements: E): ListFields<E> {
  return { elements };
}

declare const selection: unique symbol;
/** A JSON value of any kind, or undefined, of which the fields of F may be read. */
export interface Untrusted<F extends FieldSelection> {
  readonly [selection]?: F;
}

export function untrusted<F extends FieldSelection>(value: unknown, _fields: F): Untrusted<F> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- every accessor checks the kind of what it reads
  return value as Untrusted<F>;
}

/** Not a type guard: a narrowed value would lose its declaration. */
export function isObject(value: unknown): boolean {
  return isJsonObject(value);
}

/** An own member; `__proto__` and `constructor` are ordinary names. */
export function member<M extends Members, K extends keyof M & string>(value: Untrusted<ObjectFields<M>>, key: K): Untrusted<M[K]> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as above
  return rawMember(value, key) as Untrusted<M[K]>;
}

export function text<M extends Members>(value: Untrusted<ObjectFields<M>>, key: keyof M & string): string | null {
  const found = rawMember(value, key);
  return typeof found === 'string' ? found : null;
}

export function isTrue<M extends Members>(value: Untrusted<ObjectFields<M>>, key: keyof M & string): boolean {
  return rawMember(value, key) === true;
}

/** Keys of lists only. */
type ListKey<M extends Members> = { [K in keyof M & string]: M[K] extends ListFields ? K : never }[keyof M & string];
type ElementOf<F> = F extends ListFields<infer E> ? E : never;

/** At most one element more than `maxListLength`, so that a reader sees that there are more. */
export function list<M extends Members, K extends ListKey<M>>(
  value: Untrusted<ObjectFields<M>>,
  key: K,
): readonly Untrusted<ElementOf<M[K]>>[] {
  const found = rawMember(value, key);
  if (!Array.isArray(found)) return [];
  return found.length > maxListLength + 1 ? found.slice(0, maxListLength + 1) : found;
}

function rawMember(value: unknown, key: string): unknown {
  return isJsonObject(value) && Object.hasOwn(value, key) ? value[key] : undefined;
}
