/** What a selection must give, in the slow and obvious way: parse everything, then leave out what is not selected. */
import type { JsonError } from '../../src/review-cache/json-scanner.ts';
import { any, listOf, objectOf, type FieldSelection } from '../../src/pod/fields.ts';
import { byteSelection } from '../../src/review-cache/byte-selection.ts';
import { selectFields } from '../../src/review-cache/select-fields.ts';

/** A selection as data, for the selector and for the obvious way. */
export type Wish = 'whole' | { readonly members: Readonly<Record<string, Wish>> } | { readonly elements: Wish };

export function fieldsOf(wish: Wish): FieldSelection {
  if (wish === 'whole') return any;
  if ('elements' in wish) return listOf(fieldsOf(wish.elements));
  return objectOf(Object.fromEntries(Object.entries(wish.members).map(([key, inner]) => [key, fieldsOf(inner)])));
}

export function leaveOut(value: unknown, wish: Wish): unknown {
  if (wish === 'whole' || typeof value !== 'object' || value === null) return value;
  if ('elements' in wish) return Array.isArray(value) ? value.map((element) => leaveOut(element, wish.elements)) : value;
  if (Array.isArray(value)) return value;
  const kept = Object.entries(value).filter(([key]) => Object.hasOwn(wish.members, key));
  return Object.fromEntries(kept.map(([key, inner]) => [key, leaveOut(inner, wish.members[key] ?? 'whole')]));
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
