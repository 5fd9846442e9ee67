/** What selecting must give, said in the slow and obvious way: parse everything, then leave out what the shape does not name. */
import { arrayOf, objectOf, select, whole, type Selected, type Shape } from '../../src/admission/selective-json.ts';

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

export function selected(bytes: Buffer, shape: Shape): Selected {
  return select({ bytes, text: (start, end) => bytes.toString('utf8', start, end) }, shape);
}

/** Undefined when V8 refuses it. */
export function parsed(bytes: Buffer): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(bytes.toString('utf8')) };
  } catch {
    return undefined;
  }
}
