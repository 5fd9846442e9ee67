/**
 * JSON read selectively: the bytes are walked once, every one of them is checked, and only what a shape asks for is built.
 *
 * A review is mostly managedFields, env and status, which no decision needs; building them and collecting them as garbage would
 * cost more than everything else together (docs/design/performance.md). What is built is what JSON.parse would have built: keys
 * in any order and with escapes, the last of duplicate keys, any white space.
 */
import { backslash, closeBrace, closeBracket, colon, comma, isAt, JsonError, letterF, letterN, letterT, openBrace, openBracket, quote, skipByte, skipSpace, skipString, skipValue } from './json-skip.ts';

/** What to keep: a value as it is, some members of an object, or the same of every element of an array. */
export type Shape = typeof whole | ObjectShape | ArrayShape;
export const whole = 'whole';
export interface ObjectShape {
  readonly members: readonly Member[];
}
export interface ArrayShape {
  readonly elements: Shape;
}
interface Member {
  readonly key: string;
  /** The key in UTF-8. */
  readonly bytes: Uint8Array;
  /** What follows the opening quote: most other keys differ in that already. */
  readonly first: number;
  readonly length: number;
  readonly shape: Shape;
}

export function objectOf(members: Readonly<Record<string, Shape>>): ObjectShape {
  const encoder = new TextEncoder();
  return {
    members: Object.entries(members).map(([key, shape]) => {
      const bytes = encoder.encode(key);
      return { key, bytes, first: bytes[0] ?? quote, length: bytes.length, shape };
    }),
  };
}

export function arrayOf(elements: Shape): ArrayShape {
  return { elements };
}

export interface JsonBytes {
  readonly bytes: Uint8Array;
  /** The text of a range, decoded from UTF-8. */
  readonly text: (start: number, end: number) => string;
}

export type Selected = { readonly ok: true; readonly value: unknown } | { readonly ok: false; readonly error: JsonError };

/** Where a value has the wrong kind for its shape, the value is kept whole: judging it is the reader's affair. */
export function select(source: JsonBytes, shape: Shape): Selected {
  const builder = new Builder(source);
  try {
    const value = builder.value(shape);
    const end = skipSpace(source.bytes, builder.at);
    return end === source.bytes.length ? { ok: true, value } : { ok: false, error: new JsonError('broken', end) };
  } catch (error) {
    if (error instanceof JsonError) return { ok: false, error };
    throw error;
  }
}

/** Recursion is as deep as the shape, never as deep as the text. */
class Builder {
  readonly #bytes: Uint8Array;
  readonly #text: JsonBytes['text'];
  at = 0;

  constructor({ bytes, text }: JsonBytes) {
    this.#bytes = bytes;
    this.#text = text;
  }

  value(shape: Shape): unknown {
    const start = skipSpace(this.#bytes, this.at);
    const byte = this.#bytes[start];
    if (shape !== whole && byte === openBrace && 'members' in shape) return this.#object(start + 1, shape.members);
    if (shape !== whole && byte === openBracket && 'elements' in shape) return this.#array(start + 1, shape.elements);
    this.at = skipValue(this.#bytes, start);
    return this.#whole(start, this.at);
  }

  /** The value between start and end, which is known to be JSON. */
  #whole(start: number, end: number): unknown {
    switch (this.#bytes[start]) {
      case quote: {
        const text = this.#text(start + 1, end - 1);
        return text.includes('\\') ? JSON.parse(`"${text}"`) : text;
      }
      case letterT:
        return true;
      case letterF:
        return false;
      case letterN:
        return null;
      default:
        return JSON.parse(this.#text(start, end));
    }
  }

  #object(start: number, members: readonly Member[]): Record<string, unknown> {
    const bytes = this.#bytes;
    const object: Record<string, unknown> = {};
    let at = skipSpace(bytes, start);
    while (bytes[at] !== closeBrace) {
      const keyEnd = skipString(bytes, at);
      const member = this.#member(members, at, keyEnd);
      this.at = skipByte(bytes, keyEnd, colon);
      if (member === undefined) this.at = skipValue(bytes, this.at);
      else object[member.key] = this.value(member.shape);
      at = this.#next(closeBrace);
    }
    this.at = at + 1;
    return object;
  }

  #array(start: number, elements: Shape): unknown[] {
    const bytes = this.#bytes;
    const array: unknown[] = [];
    let at = skipSpace(bytes, start);
    while (bytes[at] !== closeBracket) {
      this.at = at;
      array.push(this.value(elements));
      at = this.#next(closeBracket);
    }
    this.at = at + 1;
    return array;
  }

  /** After a member or element: at the closing byte, or past a comma and at the first byte of the next one. */
  #next(closing: number): number {
    const bytes = this.#bytes;
    const at = skipSpace(bytes, this.at);
    if (bytes[at] === closing) return at;
    const next = skipSpace(bytes, skipByte(bytes, at, comma));
    if (bytes[next] === closing) throw new JsonError('broken', next);
    return next;
  }

  /** The wanted member whose key, with its quotes, stands between start and end. */
  #member(members: readonly Member[], start: number, end: number): Member | undefined {
    const bytes = this.#bytes;
    const length = end - start - 2;
    const first = bytes[start + 1];
    for (const member of members) if (member.length === length && member.first === first && isAt(bytes, start + 1, member.bytes)) return member;
    for (let at = start; at < end; at += 1) if (bytes[at] === backslash) return this.#escapedMember(members, start, end);
    return undefined;
  }

  #escapedMember(members: readonly Member[], start: number, end: number): Member | undefined {
    const key: unknown = JSON.parse(this.#text(start, end));
    return members.find((member) => member.key === key);
  }
}
