/** From the bytes of a request to what a review asks. */
import { project, type Asides, type Span } from '../admission/project-json.ts';
import { maximumUidLength } from '../admission/review.ts';
import type { ShapeOf } from '../admission/review-shape.ts';
import { AlikeReviews } from './alike.ts';
import { nothingTold, type Told } from './names.ts';

/** What was asked, as far as it decides. */
export interface Asked {
  /** The same for reviews that differ in nothing that counts but their names; null when nobody can tell. */
  readonly key: string | null;
  /** The names that the key leaves out. Good until the next body is read. */
  readonly told: Told;
  /** The parts of the review that a decision reads, with `placeholder` for those names. */
  readonly value: () => unknown;
}

export type ReadBody = { readonly ok: true; readonly asked: Asked } | { readonly ok: false; readonly problem: string };

/** Bytes. What counts of a review is some thousand; of one with more, all is read. */
const room = 64 * 1024;
/** Used again for each: one request is decided before the next one is looked at. */
const out = Buffer.alloc(room);

export class BodyReader {
  readonly #shapeOf: ShapeOf;
  readonly #alike: AlikeReviews;

  constructor(shapeOf: ShapeOf) {
    this.#shapeOf = shapeOf;
    this.#alike = new AlikeReviews(shapeOf);
  }

  /** @param bytes the body, followed by one byte that is 0 */
  read(bytes: Buffer): ReadBody {
    const length = bytes.length - 1;
    if (length === 0) return { ok: false, problem: 'the body is empty' };
    const known = this.#alike.find(bytes, length);
    if (known !== null) return { ok: true, asked: asked(known.key, bytes, known.asides) };
    const projected = project({ bytes, length }, this.#shapeOf(length), out);
    if (projected.ok && projected.asides !== null && projected.asides.every(isShort)) {
      const key = out.toString('latin1', 0, projected.length);
      this.#alike.learn({ bytes, length }, key);
      return { ok: true, asked: asked(key, bytes, projected.asides) };
    }
    if (!projected.ok && projected.error.reason === 'deep') return { ok: false, problem: 'the body nests too deep' };
    return parseWhole(bytes.subarray(0, length));
  }
}

/** Where a uid may be too long it is left to whoever reads the whole review: an answer from memory looks at none. No other name that is valid is longer. */
function isShort(span: Span | undefined): boolean {
  return span === undefined || span.end - span.start <= maximumUidLength;
}

/** @param key what was left of the review, a character for each byte */
function asked(key: string, bytes: Buffer, asides: Asides): Asked {
  const told: Told = (slot) => {
    const span = asides[slot];
    return span === undefined ? undefined : bytes.toString('utf8', span.start, span.end);
  };
  return { key, told, value: () => JSON.parse(Buffer.from(key, 'latin1').toString('utf8')) };
}

/** V8's own parser says best what is wrong. What it reads all the same is a review like any other. */
function parseWhole(body: Buffer): ReadBody {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return { ok: true, asked: { key: null, told: nothingTold, value: () => value } };
  } catch (error) {
    return { ok: false, problem: `the body is not JSON: ${withoutQuote(error instanceof Error ? error.message : String(error))}` };
  }
}

/** V8 quotes the text around the mistake, and a pod's environment may hold a password: neither log nor answer shows it. */
function withoutQuote(message: string): string {
  return message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' is out of place');
}
