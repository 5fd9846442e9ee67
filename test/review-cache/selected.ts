/** What a selection must give, in the slow and obvious way: parse everything, then leave out what is not selected. */
import type { JsonError } from '../../src/review-cache/json-scanner.ts';
import { listOf, maxListLength, objectOf, scalar, type FieldSelection } from '../../src/pod/fields.ts';
import { byteSelection } from '../../src/review-cache/byte-selection.ts';
import { selectFields } from '../../src/review-cache/select-fields.ts';

/** A selection as data, for the selector and for the obvious way. */
export type Wish = 'scalar' | { readonly members: Readonly<Record<string, Wish>> } | { readonly elements: Wish };

export function fieldsOf(wish: Wish): FieldSelection {
  if (wish === 'scalar') return scalar;
  if ('elements' in wish) return listOf(fieldsOf(wish.elements));
  return objectOf(Object.fromEntries(Object.entries(wish.members).map(([key, inner]) => [key, fieldsOf(inner)])));
}

export function leaveOut(value: unknown, wish: Wish): unknown {
  if (typeof value !== 'object' || value === null) return value;
  if (Array.isArray(value)) {
    if (typeof wish === 'string' || 'members' in wish) return [];
    return value.slice(0, maxListLength + 1).map((element) => leaveOut(element, wish.elements));
  }
  if (typeof wish === 'string' || 'elements' in wish) return {};
  const kept = Object.entries(value).filter(([key]) => Object.hasOwn(wish.members, key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, leaveOut(inner, wish.members[key] ?? 'scalar')]));
}

export type Read = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: JsonError };

const out = Buffer.alloc(8 * 1024 * 1024);

/** What is left of a document, parsed. */
export function selected(bytes: Buffer, fields: FieldSelection): Read {
  const result = selectFields({ bytes: Buffer.concat([bytes], bytes.length + 1), length: bytes.length }, byteSelection(fields), out);
  return result.ok ? { ok: true, value: JSON.parse(out.toString('utf8', 0, result.length)) } : result;
}

/** Undefined when V8 refuses it. */
export function parsed(bytes: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(bytes.toString('utf8')) };
  } catch {
    return undefined;
  }
}
