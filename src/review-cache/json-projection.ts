/**
 * JSON made smaller: the bytes are walked once, every one of them is checked, and what a shape asks for is copied out.
 *
 * A review is mostly managedFields, env and status, which no decision needs; building them and collecting them as garbage would cost
 * more than everything else together (docs/design/performance.md). What is left is the same text for pods that ask the same, so it
 * is also the key under which their answer is remembered. Parsing it gives what parsing the whole and leaving out would have given:
 * keys in any order and with escapes, the last of duplicate keys, any white space.
 */
import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  isAt,
  JsonError,
  openBrace,
  openBracket,
  quote,
  skipByte,
  skipPlain,
  skipRest,
  skipSpace,
  skipValue,
} from './json-scanner.ts';

/** What to keep: a value as it is, some members of an object, or the same of every element of an array. */
export type Shape = typeof whole | AsideShape | ObjectShape | ArrayShape;
export const whole = 'whole';
/** A string that differs where all else is the same: told beside the rest, where it leaves `placeholder`. */
export interface AsideShape {
  /** Which of those that are told it is, from 0. */
  readonly slot: number;
}
export const placeholder = '?';
export interface ObjectShape {
  readonly members: readonly Member[];
  /** Key of the member without which the others do not count either; null when all of them do. */
  readonly needs: string | null;
}
export interface ArrayShape {
  readonly elements: Shape;
}
interface Member {
  readonly key: string;
  /** The key in UTF-8, with its quotes and the colon. */
  readonly written: Uint8Array;
  readonly shape: Shape;
}

const writtenPlaceholder = new TextEncoder().encode(JSON.stringify(placeholder));

/** @param needs a member without which an empty object is kept */
export function objectOf(members: Readonly<Record<string, Shape>>, needs: string | null = null): ObjectShape {
  const encoder = new TextEncoder();
  return {
    members: Object.entries(members).map(([key, shape]) => ({ key, written: encoder.encode(`${JSON.stringify(key)}:`), shape })),
    needs,
  };
}

export function arrayOf(elements: Shape): ArrayShape {
  return { elements };
}

/** Where something stands in the input: from the first byte up to and without the last. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** Where the strings told aside stand in the input, without their quotes, by slot. */
export type Asides = readonly (Span | undefined)[];

export type Projected =
  | {
      readonly ok: true;
      /** Bytes of the smaller document, at the beginning of `out`. */
      readonly length: number;
      /** Null unless each of them was there at most once, not empty, and without escapes. */
      readonly asides: Asides | null;
    }
  | { readonly ok: false; readonly error: JsonError };

export interface JsonBytes {
  /** One byte more than the document, and it 0: every loop then ends at it, and none has to look for the end. */
  readonly bytes: Uint8Array;
  /** Of the document. */
  readonly length: number;
}

/** Where values begin and end, one after the other: [start, end, start, end, …]. */
export type Spans = number[];

/**
 * Where a value has the wrong kind for its shape, the value is kept whole: judging it is the reader's affair.
 *
 * @param out where the smaller document is written; `error.reason` is `large` when it does not fit
 * @param skipped collects the values that leave no trace in it, whatever they are
 */
export function project({ bytes, length }: JsonBytes, shape: Shape, out: Uint8Array, skipped: Spans | null = null): Projected {
  const projection = new Projection(bytes, out, skipped);
  try {
    const end = skipSpace(bytes, projection.value(0, shape));
    return end === length
      ? { ok: true, length: projection.length, asides: projection.asides }
      : { ok: false, error: new JsonError('broken', end) };
  } catch (error) {
    if (error instanceof JsonError) return { ok: false, error };
    throw error;
  }
}

/** Each method goes from a position to the next. Recursion is as deep as the shape, never as deep as the text. */
class Projection {
  readonly #bytes: Uint8Array;
  readonly #out: Uint8Array;
  readonly #skipped: Spans | null;
  readonly #told: (Span | undefined)[] = [];
  #isTold = true;
  length = 0;

  constructor(bytes: Uint8Array, out: Uint8Array, skipped: Spans | null) {
    this.#bytes = bytes;
    this.#out = out;
    this.#skipped = skipped;
  }

  get asides(): Asides | null {
    return this.#isTold ? this.#told : null;
  }

  value(at: number, shape: Shape): number {
    const start = skipSpace(this.#bytes, at);
    const byte = this.#bytes[start];
    if (typeof shape === 'object') {
      if (byte === openBrace && 'members' in shape) return this.#object(start + 1, shape);
      if (byte === openBracket && 'elements' in shape) return this.#array(start + 1, shape.elements);
      if ('slot' in shape) return this.#aside(start, shape.slot);
    }
    const end = skipValue(this.#bytes, start);
    this.#copy(this.#bytes, start, end);
    return end;
  }

  #object(start: number, { members, needs }: ObjectShape): number {
    const bytes = this.#bytes;
    const began = this.length;
    // Wanted values of an object that may turn out not to count: only where somebody asks.
    const inVain: Spans | null = needs === null || this.#skipped === null ? null : [];
    let isNeeded = needs === null;
    let separator = openBrace;
    let at = skipSpace(bytes, start);
    while (bytes[at] !== closeBrace) {
      const plainEnd = skipPlain(bytes, at);
      const isPlain = bytes[plainEnd] === quote;
      const keyEnd = isPlain ? plainEnd + 1 : skipRest(bytes, plainEnd);
      const member = isPlain ? this.#member(members, at, keyEnd) : this.#escapedMember(members, at, keyEnd);
      const valueStart = skipByte(bytes, keyEnd, colon);
      if (member === undefined) {
        at = skipValue(bytes, valueStart);
        this.#skipped?.push(valueStart, at);
      } else {
        this.#put(separator);
        separator = comma;
        this.#copy(member.written, 0, member.written.length);
        at = this.value(valueStart, member.shape);
        if (member.key === needs) isNeeded = true;
        else inVain?.push(valueStart, at);
      }
      at = this.#next(at, closeBrace);
    }
    if (!isNeeded) {
      this.#skipped?.push(...(inVain ?? []));
      this.length = began;
      separator = openBrace;
    }
    if (separator === openBrace) this.#put(openBrace);
    this.#put(closeBrace);
    return at + 1;
  }

  #array(start: number, elements: Shape): number {
    const bytes = this.#bytes;
    this.#put(openBracket);
    let at = skipSpace(bytes, start);
    for (let isFirst = true; bytes[at] !== closeBracket; isFirst = false) {
      if (!isFirst) this.#put(comma);
      at = this.#next(this.value(at, elements), closeBracket);
    }
    this.#put(closeBracket);
    return at + 1;
  }

  /** After a member or element: at the closing byte, or past a comma and at the first byte of the next one. */
  #next(end: number, closing: number): number {
    const bytes = this.#bytes;
    const at = skipSpace(bytes, end);
    if (bytes[at] === closing) return at;
    const next = skipSpace(bytes, skipByte(bytes, at, comma));
    if (bytes[next] === closing) throw new JsonError('broken', next);
    return next;
  }

  /** The wanted member whose key, with its quotes, stands between start and end. */
  #member(members: readonly Member[], start: number, end: number): Member | undefined {
    const length = end - start;
    for (const member of members)
      if (member.written.length === length + 1 && isAt(this.#bytes, start, member.written, length)) return member;
    return undefined;
  }

  #escapedMember(members: readonly Member[], start: number, end: number): Member | undefined {
    const key: unknown = JSON.parse(new TextDecoder().decode(this.#bytes.subarray(start, end)));
    return members.find((member) => member.key === key);
  }

  #aside(start: number, slot: number): number {
    const bytes = this.#bytes;
    const plainEnd = bytes[start] === quote ? skipPlain(bytes, start) : start;
    if (plainEnd > start + 1 && bytes[plainEnd] === quote && this.#told[slot] === undefined) {
      this.#told[slot] = { start: start + 1, end: plainEnd };
      this.#copy(writtenPlaceholder, 0, writtenPlaceholder.length);
      return plainEnd + 1;
    }
    this.#isTold = false;
    return this.value(start, whole);
  }

  #put(byte: number): void {
    if (this.length === this.#out.length) throw new JsonError('large', 0);
    this.#out[this.length] = byte;
    this.length += 1;
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    if (this.length + end - start > this.#out.length) throw new JsonError('large', start);
    const out = this.#out;
    let to = this.length;
    for (let at = start; at < end; at += 1, to += 1) out[to] = from[at]!;
    this.length = to;
  }
}
