/** Walks through a document and copies the selected fields. Each method takes a position and returns the next one. */
import { maxListLength } from '../pod/fields.ts';
import type { ByteSelection, ListSelection, MemberSelection, ObjectSelection } from './byte-selection.ts';
import {
  closeBrace,
  closeBracket,
  colon,
  comma,
  decodedKey,
  decodedLength,
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

export const placeholder = '?';
const encoder = new TextEncoder();
const writtenPlaceholder = encoder.encode(JSON.stringify(placeholder));

/** A part of the input: `end` is the position after its last byte. */
export interface Span {
  readonly start: number;
  readonly end: number;
}

/** The identity strings in the input, without their quotes, by slot. */
export type IdentitySpans = readonly (Span | undefined)[];

/** Starts and ends of values: [start, end, start, end, …]. */
export type Spans = number[];

export interface SelectOptions {
  /** Collects the values that leave no trace in the smaller document. */
  readonly skipped?: Spans;
  /** Copies the identity strings into the smaller document as written. */
  readonly copiesIdentity?: boolean;
}

/** Recursion is as deep as the selection, never as deep as the text. */
export class FieldSelector {
  readonly #bytes: Uint8Array;
  readonly #out: Uint8Array;
  readonly #skipped: Spans | null;
  readonly #copiesIdentity: boolean;
  readonly #identity: (Span | undefined)[] = [];
  #isAmbiguous = false;
  length = 0;
  othersLength: number | null = null;

  constructor(bytes: Uint8Array, out: Uint8Array, { skipped, copiesIdentity = false }: SelectOptions) {
    this.#bytes = bytes;
    this.#out = out;
    this.#skipped = skipped ?? null;
    this.#copiesIdentity = copiesIdentity;
  }

  get identitySpans(): IdentitySpans | null {
    return this.#isAmbiguous ? null : this.#identity;
  }

  value(at: number, selection: ByteSelection): number {
    const start = skipSpace(this.#bytes, at);
    const byte = this.#bytes[start];
    if (typeof selection === 'object') {
      if (byte === openBrace && 'members' in selection) return this.#object(start + 1, selection);
      if (byte === openBracket && 'elements' in selection) return this.#list(start + 1, selection);
      if (byte === quote && 'slot' in selection && !this.#copiesIdentity) return this.#identityString(start, selection.slot);
    }
    return this.#scalar(start);
  }

  /** For an object or a list, copies only the type. */
  #scalar(start: number): number {
    const bytes = this.#bytes;
    const byte = bytes[start];
    const end = skipValue(bytes, start);
    if (byte === openBrace) this.#putBoth(openBrace, closeBrace);
    else if (byte === openBracket) this.#putBoth(openBracket, closeBracket);
    else this.#copy(bytes, start, end);
    return end;
  }

  #object(start: number, { members, onlyIfPresent, isMeasured }: ObjectSelection): number {
    const bytes = this.#bytes;
    const began = this.length;
    // Selected values to report as skipped if the required member is missing.
    const conditional: Spans | null = onlyIfPresent === null || this.#skipped === null ? null : [];
    let isPresent = onlyIfPresent === null;
    let separator = openBrace;
    let at = skipSpace(bytes, start);
    if (isMeasured) this.othersLength = 0;
    while (bytes[at] !== closeBrace) {
      const plainEnd = skipPlain(bytes, at);
      const isPlain = bytes[plainEnd] === quote;
      const keyEnd = isPlain ? plainEnd + 1 : skipRest(bytes, plainEnd);
      const member = isPlain ? this.#member(members, at, keyEnd) : this.#escapedMember(members, at, keyEnd);
      const valueStart = skipByte(bytes, keyEnd, colon);
      if (member === undefined) {
        const valueEnd = skipValue(bytes, valueStart);
        if (isMeasured) this.#measure(at, keyEnd, valueStart, valueEnd);
        else this.#skipped?.push(valueStart, valueEnd);
        at = valueEnd;
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

  /** Only strings count, as in the API server. */
  // oxlint-disable-next-line max-params -- positions as plain numbers, see json-scanner.ts
  #measure(keyStart: number, keyEnd: number, valueStart: number, valueEnd: number): void {
    const start = skipSpace(this.#bytes, valueStart);
    if (this.#bytes[start] !== quote) return;
    this.othersLength =
      (this.othersLength ?? 0) + decodedLength(this.#bytes, keyStart, keyEnd) + decodedLength(this.#bytes, start, valueEnd);
  }

  /** Copies one element after the maximum, which shows the reader that there are more. */
  #list(start: number, { elements }: ListSelection): number {
    const bytes = this.#bytes;
    this.#put(openBracket);
    let at = skipSpace(bytes, start);
    for (let count = 0; bytes[at] !== closeBracket; count += 1) {
      if (count > maxListLength) at = this.#next(skipValue(bytes, at), closeBracket);
      else {
        if (count > 0) this.#put(comma);
        at = this.#next(this.value(at, elements), closeBracket);
      }
    }
    this.#put(closeBracket);
    return at + 1;
  }

  /** After a member or element: at the closing byte, or after a comma at the first byte of the next one. */
  #next(end: number, closing: number): number {
    const bytes = this.#bytes;
    const at = skipSpace(bytes, end);
    if (bytes[at] === closing) return at;
    const next = skipSpace(bytes, skipByte(bytes, at, comma));
    if (bytes[next] === closing) throw new JsonError('broken', next);
    return next;
  }

  /** The selected member whose key, with its quotes, is between start and end. */
  #member(members: readonly MemberSelection[], start: number, end: number): MemberSelection | undefined {
    const length = end - start;
    for (const member of members)
      if (member.written.length === length + 1 && isAt(this.#bytes, start, member.written, length)) return member;
    return undefined;
  }

  #escapedMember(members: readonly MemberSelection[], start: number, end: number): MemberSelection | undefined {
    const key = decodedKey(this.#bytes, start, end);
    return members.find((member) => member.key === key);
  }

  #identityString(start: number, slot: number): number {
    const bytes = this.#bytes;
    const plainEnd = skipPlain(bytes, start);
    if (plainEnd > start + 1 && bytes[plainEnd] === quote && this.#identity[slot] === undefined) {
      this.#identity[slot] = { start: start + 1, end: plainEnd };
      this.#copy(writtenPlaceholder, 0, writtenPlaceholder.length);
      return plainEnd + 1;
    }
    this.#isAmbiguous = true;
    return this.#scalar(start);
  }

  #putBoth(first: number, second: number): void {
    this.#put(first);
    this.#put(second);
  }

  #put(byte: number): void {
    if (this.length === this.#out.length) throw new JsonError('large', 0);
    this.#out[this.length] = byte;
    this.length += 1;
  }

  #copy(from: Uint8Array, start: number, end: number): void {
    const length = end - start;
    if (this.length + length > this.#out.length) throw new JsonError('large', start);
    if (length > longCopy) this.#out.set(from.subarray(start, end), this.length);
    else for (let index = 0; index < length; index += 1) this.#out[this.length + index] = from[start + index]!;
    this.length += length;
  }
}

/** Number of bytes above which a native copy is faster. */
const longCopy = 256;
