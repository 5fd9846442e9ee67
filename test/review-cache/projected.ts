/** What a projection must give, said in the slow and obvious way: parse everything, then leave out what the shape does not name. */
import type { JsonError } from '../../src/review-cache/json-scanner.ts';
import { arrayOf, objectOf, project, whole, type Shape } from '../../src/review-cache/json-projection.ts';

/** A shape as data, so that it can be read by the reader and by the obvious way. */
export type Wish = 'whole' | { readonly members: Readonly<Record<string, Wish>> } | { readonly elements: Wish };

export function shapeOf(wish: Wish): Shape {
  if (wish === 'whole') return whole;
  if ('elements' in wish) return arrayOf(shapeOf(wish.elements));
  return objectOf(Object.fromEntries(Object.entries(wish.members).map(([key, inner]) => [key, shapeOf(inner)])));
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
export function projected(bytes: Buffer, shape: Shape): Read {
  const result = project({ bytes: Buffer.concat([bytes], bytes.length + 1), length: bytes.length }, shape, out);
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
