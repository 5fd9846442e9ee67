/**
 * Reviews that are known from one that was read before. The pods of a ReplicaSet come with the same bytes but for the review's uid, the
 * name of the service account's volume, and times; comparing bytes costs a tenth of reading them (docs/design/performance.md).
 *
 * A body of the same length is the same document with other text in some strings, when it differs in nothing but bytes that were
 * plain text of a string and still are. And it asks the same, when none of these strings counts.
 */
import { LRUCache } from 'lru-cache';
import { isPlain, quote, skipPlain, skipRest } from './json-scanner.ts';
import { project, type Asides, type JsonBytes, type Shape, type Span, type Spans } from './json-projection.ts';
import type { ShapeOf } from './decision-fields.ts';

/** A body that was read, and which of its bytes do not count. */
interface Pattern {
  /** Of the free ones, those of whichever body came last. */
  readonly bytes: Uint8Array;
  /** 1 where any other plain byte may stand: all bytes between the quotes of some strings. */
  readonly free: Uint8Array;
  readonly asides: Asides;
  /** The free strings in which bodies were found to differ. */
  differing: readonly Span[];
}

interface Seen {
  readonly key: string;
  /** How often that was asked by a body of this length without being known. */
  readonly times: number;
  /** Null until a second body of this length asks the same: most lone pods come but once. */
  readonly pattern: Pattern | null;
}

export interface Known {
  readonly key: string;
  /** Where the strings of its identity are in the body. */
  readonly spans: Asides;
}

/** Bytes of all patterns together. */
const room = 4 * 1024 * 1024;
/** Bytes that a body may have to be remembered. */
const longest = 128 * 1024;
/** Strings of a pattern. A Job's pods differ in some twenty. */
const mostDiffering = 64;
/** Bytes among which a difference is looked for one by one. */
const stretch = 1024;

export class RepeatedBodies {
  readonly #shapeOf: ShapeOf;
  readonly #seen = new LRUCache<number, Seen>({
    maxSize: room,
    sizeCalculation: ({ key, pattern }) => key.length + 2 * (pattern?.bytes.length ?? 0),
  });

  constructor(shapeOf: ShapeOf) {
    this.#shapeOf = shapeOf;
  }

  /** What this body asks, when that is known without reading it. */
  find(bytes: Buffer, length: number): Known | null {
    const seen = this.#seen.get(length);
    if (seen === undefined || seen.pattern === null || !isAlike(bytes, seen.pattern)) return null;
    return { key: seen.key, spans: seen.pattern.asides };
  }

  /** @param key of what the body asks; it has been read, and its names have no escapes */
  learn(source: JsonBytes, key: string): void {
    const { length } = source;
    if (length > longest) return;
    const before = this.#seen.get(length);
    if (before?.key !== key) return void this.#seen.set(length, { key, times: 1, pattern: null });
    const times = before.times + 1;
    // A pattern costs as much as reading: where bodies differ in more than it allows, another one is tried ever more rarely.
    const pattern = Number.isInteger(Math.log2(times)) ? patternOf(source, this.#shapeOf(length), key.length) : before.pattern;
    this.#seen.set(length, { key, times, pattern });
  }
}

function patternOf({ bytes, length }: JsonBytes, shape: Shape, keyLength: number): Pattern | null {
  const skipped: Spans = [];
  const projected = project({ bytes, length }, shape, new Uint8Array(keyLength), skipped);
  if (!projected.ok || projected.asides === null) return null;
  const free = new Uint8Array(length);
  for (const span of projected.asides) if (span !== undefined) free.fill(1, span.start, span.end);
  for (let index = 0; index < skipped.length; index += 2) freeStrings({ bytes, free }, skipped[index]!, skipped[index + 1]!);
  // Copied: the next body is put where this one is.
  return { bytes: Uint8Array.from(bytes.subarray(0, length)), free, asides: projected.asides, differing: [] };
}

/** Those with an escape stay as they are: a byte of an escape is not plain. */
function freeStrings({ bytes, free }: { readonly bytes: Uint8Array; readonly free: Uint8Array }, start: number, end: number): void {
  for (let at = start; at < end; at += 1) {
    if (bytes[at] !== quote) continue;
    const plainEnd = skipPlain(bytes, at);
    const isWhole = bytes[plainEnd] === quote;
    if (isWhole) free.fill(1, at + 1, plainEnd);
    at = isWhole ? plainEnd : skipRest(bytes, plainEnd) - 1;
  }
}

function isAlike(bytes: Buffer, pattern: Pattern): boolean {
  const { bytes: known, differing } = pattern;
  for (const span of differing) if (!takeOver(bytes, known, span)) return false;
  if (isSame(bytes, known, { start: 0, end: known.length })) return true;
  const others = otherStrings(bytes, pattern);
  if (others === null) return false;
  if (differing.length + others.length <= mostDiffering) pattern.differing = [...differing, ...others];
  return true;
}

/**
 * Lets a free string of the known body say what this one says; false when this one has something else than plain text there. Then all that
 * is fixed can be compared at once: byte by byte it would cost ten times that.
 */
function takeOver(bytes: Uint8Array, known: Uint8Array, { start, end }: Span): boolean {
  for (let at = start; at < end; at += 1) {
    const byte = bytes[at]!;
    if (!isPlain(byte)) return false;
    known[at] = byte;
  }
  return true;
}

/** Natively: a fifteenth of reading them. */
function isSame(bytes: Buffer, known: Uint8Array, { start, end }: Span): boolean {
  return bytes.compare(known, start, end, start, end) === 0;
}

/** The free strings in which a body differs from a known one, which takes them over; null when it differs in something else too. */
function otherStrings(bytes: Buffer, { bytes: known, free }: Pattern): Span[] | null {
  const found: Span[] = [];
  let at = 0;
  while (at < known.length) {
    const end = Math.min(known.length, at + stretch);
    if (isSame(bytes, known, { start: at, end })) {
      at = end;
      continue;
    }
    while (bytes[at] === known[at]) at += 1;
    const span = { start: free.lastIndexOf(0, at) + 1, end: free.indexOf(0, at) };
    if (free[at] !== 1 || !takeOver(bytes, known, span)) return null;
    found.push(span);
    at = span.end;
  }
  return found;
}
