/**
 * Recognises a request body that differs from an earlier one only in fields that do not affect the decision. The pods of a ReplicaSet have
 * the same bytes except for the review's uid, the name of the service account's volume, and times. Comparing bytes costs a tenth of parsing
 * them (docs/design/request-path.md).
 *
 * If two bodies have the same length and differ only in unescaped bytes of strings, they have the same structure. If no decision reads
 * these strings, the decision is the same.
 */
import { LRUCache } from 'lru-cache';
import type { ByteSelection } from './byte-selection.ts';
import { isPlain, quote, skipPlain, skipRest } from './json-scanner.ts';
import type { IdentitySpans, Span, Spans } from './field-selector.ts';
import { selectFields, type JsonBytes } from './select-fields.ts';

/** The selection for a body of that length in bytes. */
export type SelectionOf = (length: number) => ByteSelection;

/** A body that was parsed. */
interface KnownBody {
  /** In ignored strings, the bytes of the latest body. */
  readonly bytes: Uint8Array;
  /** 1 for each byte of an ignored string, where any other plain byte is allowed. */
  readonly ignored: Uint8Array;
  readonly identitySpans: IdentitySpans;
  /** The ignored strings in which bodies differed so far. */
  differing: readonly Span[];
}

interface Entry {
  readonly key: string;
  /** Cache misses for this length and key. */
  readonly misses: number;
  /** Null until a second body has this length and key: most lone pods are created once. */
  readonly body: KnownBody | null;
}

/** Likewise for bodies that differ in identity only. */
export interface Fingerprint {
  /** The selected fields, as text. */
  readonly key: string;
  /** The identity strings in the body. */
  readonly identitySpans: IdentitySpans;
}

/** Bytes of all known bodies together. */
const maxTotalBytes = 4 * 1024 * 1024;
/** In bytes. A larger body is not stored. */
const maxBodyBytes = 128 * 1024;
/** Strings of one known body. The pods of a Job differ in about twenty. */
const maxDiffering = 64;
/** Number of bytes compared at once before the differing one is searched. */
const chunk = 1024;

export class RepeatedBodies {
  readonly #selectionOf: SelectionOf;
  readonly #entries = new LRUCache<number, Entry>({
    maxSize: maxTotalBytes,
    sizeCalculation: ({ key, body }) => 300 + key.length + 2 * (body?.bytes.length ?? 0),
  });

  constructor(selectionOf: SelectionOf) {
    this.#selectionOf = selectionOf;
  }

  /** Estimated bytes on the heap. */
  get bytes(): number {
    return this.#entries.calculatedSize;
  }

  /** Null if the body must be parsed. */
  find(bytes: Buffer, length: number): Fingerprint | null {
    const entry = this.#entries.get(length);
    if (entry === undefined || entry.body === null || !hasSameDecision(bytes, entry.body)) return null;
    return { key: entry.key, identitySpans: entry.body.identitySpans };
  }

  /** @param key of the body, whose identity is unambiguous */
  learn(source: JsonBytes, key: string): void {
    const { length } = source;
    if (length > maxBodyBytes) return;
    const before = this.#entries.get(length);
    if (before?.key !== key) return void this.#entries.set(length, { key, misses: 1, body: null });
    const misses = before.misses + 1;
    // Learning a body costs as much as parsing it. If bodies differ in more than ignored strings, learning is tried less and less often.
    const body = Number.isInteger(Math.log2(misses)) ? knownBody(source, this.#selectionOf(length), key.length) : before.body;
    this.#entries.set(length, { key, misses, body });
  }
}

function knownBody({ bytes, length }: JsonBytes, selection: ByteSelection, keyLength: number): KnownBody | null {
  const skipped: Spans = [];
  const selected = selectFields({ bytes, length }, selection, new Uint8Array(keyLength), { skipped });
  if (!selected.ok || selected.identitySpans === null) return null;
  const { identitySpans } = selected;
  const ignored = new Uint8Array(length);
  for (const span of identitySpans) if (span !== undefined) ignored.fill(1, span.start, span.end);
  for (let index = 0; index < skipped.length; index += 2) ignoreStrings({ bytes, ignored }, skipped[index]!, skipped[index + 1]!);
  // Copied, because the buffer is reused for the next body.
  return { bytes: Uint8Array.from(bytes.subarray(0, length)), ignored, identitySpans, differing: [] };
}

/** Strings with an escape must be equal: a byte of an escape is not plain. */
function ignoreStrings({ bytes, ignored }: Pick<KnownBody, 'bytes' | 'ignored'>, start: number, end: number): void {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== quote) continue;
    const plainEnd = skipPlain(bytes, at);
    const isWhole = bytes[plainEnd] === quote;
    if (isWhole) ignored.fill(1, at + 1, plainEnd);
    at = isWhole ? plainEnd : skipRest(bytes, plainEnd) - 1;
  }
}

function hasSameDecision(bytes: Buffer, body: KnownBody): boolean {
  const { bytes: known, differing } = body;
  for (const span of differing) if (!copyString(bytes, known, span)) return false;
  if (isEqual(bytes, known, { start: 0, end: known.length })) return true;
  const others = otherStrings(bytes, body);
  if (others === null) return false;
  if (differing.length + others.length <= maxDiffering) body.differing = [...differing, ...others];
  return true;
}

/**
 * Copies an ignored string into the known body, so that one comparison covers the rest: byte by byte would cost ten times as much.
 * False if the string has an escape, a quote or a control character.
 */
function copyString(bytes: Uint8Array, known: Uint8Array, { start, end }: Span): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (!isPlain(byte)) return false;
    known[at] = byte;
  }
  return true;
}

function isEqual(bytes: Buffer, known: Uint8Array, { start, end }: Span): boolean {
  return bytes.compare(known, start, end, start, end) === 0;
}

/** The ignored strings in which a body differs from a known one, copied into it; null when it differs in anything else. */
function otherStrings(bytes: Buffer, { bytes: known, ignored }: KnownBody): Span[] | null {
  const found: Span[] = [];
  let at = 0;
  while (at < known.length) {
    const end = Math.min(known.length, at + chunk);
    if (isEqual(bytes, known, { start: at, end })) {
      at = end;
      continue;
    }
    while (bytes[at] === known[at]) at += 1;
    const span = { start: ignored.lastIndexOf(0, at) + 1, end: ignored.indexOf(0, at) };
    if (ignored[at] !== 1 || !copyString(bytes, known, span)) return null;
    found.push(span);
    at = span.end;
  }
  return found;
}
