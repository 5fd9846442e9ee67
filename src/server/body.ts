/** From the bytes of a request to what a review asks. */
import { project, type Span } from '../admission/project-json.ts';
import { maximumUidLength } from '../admission/review.ts';
import { reviewShape } from '../admission/review-shape.ts';
import { isObject, member } from '../pod/json.ts';
import { AlikeReviews } from './alike.ts';

/** What was asked, as far as it decides. */
export interface Asked {
  /** The same for reviews that differ in nothing that counts but their uid; null when nobody can tell. */
  readonly key: string | null;
  /** Of the review, where there is a key. */
  readonly uid: string;
  /** The parts of the review that a decision reads. */
  readonly value: () => unknown;
}

export type ReadBody = { readonly ok: true; readonly asked: Asked } | { readonly ok: false; readonly problem: string };

/** Bytes. What counts of a review is some thousand; of one with more, all is read. */
const room = 64 * 1024;
/** Used again for each: one request is decided before the next one is looked at. */
const out = Buffer.alloc(room);
const alike = new AlikeReviews();

/** @param bytes the body, followed by one byte that is 0 */
export function readBody(bytes: Buffer): ReadBody {
  const length = bytes.length - 1;
  if (length === 0) return { ok: false, problem: 'the body is empty' };
  const known = alike.find(bytes, length);
  if (known !== null) return { ok: true, asked: asked(known.key, bytes, known.uid) };
  const projected = project({ bytes, length }, reviewShape, out);
  if (projected.ok && projected.aside !== null && isShort(projected.aside)) {
    const key = out.toString('latin1', 0, projected.length);
    alike.learn({ bytes, length }, key);
    return { ok: true, asked: asked(key, bytes, projected.aside) };
  }
  if (!projected.ok && projected.error.reason === 'deep') return { ok: false, problem: 'the body nests too deep' };
  return parseWhole(bytes.subarray(0, length));
}

/** A uid that may be too long is left to whoever reads the whole review: an answer from memory looks at no uid. */
function isShort({ start, end }: Span): boolean {
  return end - start <= maximumUidLength;
}

/** @param key what was left of the review, a character for each byte */
function asked(key: string, bytes: Buffer, { start, end }: Span): Asked {
  const uid = bytes.toString('utf8', start, end);
  return { key, uid, value: () => withUid(JSON.parse(Buffer.from(key, 'latin1').toString('utf8')), uid) };
}

/** Puts the uid where an empty one was left. Of two requests the last one counts, and that may be the one without a uid. */
function withUid(value: unknown, uid: string): unknown {
  const request = member(value, 'request');
  return isObject(value) && isObject(request) && member(request, 'uid') === '' ? { ...value, request: { ...request, uid } } : value;
}

/** V8's own parser says best what is wrong. What it reads all the same is a review like any other. */
function parseWhole(body: Buffer): ReadBody {
  try {
    const value: unknown = JSON.parse(body.toString('utf8'));
    return { ok: true, asked: { key: null, uid: '', value: () => value } };
  } catch (error) {
    return { ok: false, problem: `the body is not JSON: ${withoutQuote(error instanceof Error ? error.message : String(error))}` };
  }
}

/** V8 quotes the text around the mistake, and a pod's environment may hold a password: neither log nor answer shows it. */
function withoutQuote(message: string): string {
  return message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' is out of place');
}
