/**
 * Copies the selected fields of a JSON document into a smaller document. All bytes are walked once and checked.
 *
 * A review is mostly managedFields, env and status, which no decision reads. To build and to collect them would cost more than
 * everything else together (docs/design/request-path.md). Pods that are decided alike give the same smaller document, so it is also
 * the key of the remembered decision. Parsing it gives the same as parsing the whole and leaving out the rest: with keys in any order
 * and with escapes, the last of duplicate keys, any white space.
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
import type { ByteSelection, MemberSelection, ObjectSelection } from './byte-selection.ts';

export const placeholder = '?';
const decoder = new TextDecoder();
const writtenPlaceholder = new TextEncoder().encode(JSON.stringify(placeholder));

/** A part of the input: `end` is the position behind its last byte. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The strings of the identity in the input, without their quotes, by slot. */
export type IdentitySpans = readonly (Span | undefined)[];

export type Selected =
  | {
      readonly ok: true;
      /** Bytes of the smaller document, at the beginning of `out`. */
      readonly length: number;
      /** Null if one of them occurs twice, is empty or has escapes. */
      readonly identitySpans: IdentitySpans | null;
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
 * A value of the wrong kind for its selection is copied whole: the reader judges it.
 *
 * @param out where the smaller document is written; `error.reason` is `large` when it does not fit
 * @param skipped collects the values that leave no trace in the smaller document
 */
export function selectFields(
  { bytes, length }: JsonBytes,
  selection: ByteSelection,
  out: Uint8Array,
  skipped: Spans | null = null,
): Selected {
  const selector = new Selector(bytes, out, skipped);
  try {
    const end = skipSpace(bytes, selector.value(0, selection));
    return end === length
      ? { ok: true, length: selector.length, identitySpans: selector.identitySpans }
      : { ok: false, error: new JsonError('broken', end) };
  } catch (error) {
    if (error instanceof JsonError) return { ok: false, error };
    throw error;
  }
}

/** Each method goes from a position to the next. Recursion is as deep as the selection, never as deep as the text. */
class Selector {
  readonly #bytes: Uint8Array;
  readonly #out: Uint8Array;
  readonly #skipped: Spans | null;
  readonly #found: (Span | undefined)[] = [];
  #isUnambiguous = true;
  length = 0;

  constructor(bytes: Uint8Array, out: Uint8Array, skipped: Spans | null) {
    this.#bytes = bytes;
    this.#out = out;
    this.#skipped = skipped;
  }

  get identitySpans(): IdentitySpans | null {
    return this.#isUnambiguous ? this.#found : null;
  }

  value(at: number, selection: ByteSelection): number {
    const start = skipSpace(this.#bytes, at);
    const byte = this.#bytes[start];
    if (typeof selection === 'object') {
      if (byte === openBrace && 'members' in selection) return this.#object(start + 1, selection);
      if (byte === openBracket && 'elements' in selection) return this.#array(start + 1, selection.elements);
      if ('slot' in selection) return this.#identity(start, selection.slot);
    }
    const end = skipValue(this.#bytes, start);
    this.#copy(this.#bytes, start, end);
    return end;
  }

  #object(start: number, { members, onlyIfPresent }: ObjectSelection): number {
    const bytes = this.#bytes;
    const began = this.length;
    // Selected values to report as skipped if the required member is missing.
    const conditional: Spans | null = onlyIfPresent === null || this.#skipped === null ? null : [];
    let isPresent = onlyIfPresent === null;
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
        at = this.value(valueStart, member.selection);
        if (member.key === onlyIfPresent) isPresent = true;
        else conditional?.push(valueStart, at);
      }
      at = this.#next(at, closeBrace);
    }
    if (!isPresent) {
      this.#skipped?.push(...(conditional ?? []));
      this.length = began;
      separator = openBrace;
    }
    if (separator === openBrace) this.#put(openBrace);
    this.#put(closeBrace);
    return at + 1;
  }

  #array(start: number, elements: ByteSelection): number {
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

  /** The selected member whose key, with its quotes, stands between start and end. */
  #member(members: readonly MemberSelection[], start: number, end: number): MemberSelection | undefined {
    const length = end - start;
    for (const member of members)
      if (member.written.length === length + 1 && isAt(this.#bytes, start, member.written, length)) return member;
    return undefined;
  }

  #escapedMember(members: readonly MemberSelection[], start: number, end: number): MemberSelection | undefined {
    const key: unknown = JSON.parse(decoder.decode(this.#bytes.subarray(start, end)));
    return members.find((member) => member.key === key);
  }

  #identity(start: number, slot: number): number {
    const bytes = this.#bytes;
    const plainEnd = bytes[start] === quote ? skipPlain(bytes, start) : start;
    if (plainEnd > start + 1 && bytes[plainEnd] === quote && this.#found[slot] === undefined) {
      this.#found[slot] = { start: start + 1, end: plainEnd };
      this.#copy(writtenPlaceholder, 0, writtenPlaceholder.length);
      return plainEnd + 1;
    }
    this.#isUnambiguous = false;
    return this.value(start, 'any');
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
