/** From the bytes of a request to its decision. The cache (src/review-cache) does the same, faster; this is what it must not differ from. */
import { identityOf, type Identity } from './identity.ts';
import { readReview, type Question } from './review.ts';

/** Everything of a review but its identity goes in. */
export type Decide<T> = (review: Question) => T;

export type ReadResult<T> =
  | { readonly ok: true; readonly identity: Identity; readonly decision: T }
  | { readonly ok: false; readonly code: 'BODY_NOT_JSON' | 'REVIEW_INVALID'; readonly problem: string };

/** @param body followed by one byte that is 0 */
export type ReviewReader<T> = (body: Buffer) => ReadResult<T>;

export function plainReader<T>(decide: Decide<T>): ReviewReader<T> {
  return (body) => {
    const text = body.toString('utf8', 0, body.length - 1);
    if (text === '') return { ok: false, code: 'BODY_NOT_JSON', problem: 'the body is empty' };
    try {
      return readDocument(JSON.parse(text), decide);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { ok: false, code: 'BODY_NOT_JSON', problem: `the body is not JSON: ${withoutQuote(error.message)}` };
    }
  };
}

export function readDocument<T>(document: unknown, decide: Decide<T>): ReadResult<T> {
  const read = readReview(document);
  if (!read.ok) return { ok: false, code: 'REVIEW_INVALID', problem: read.problem };
  return { ok: true, identity: identityOf(read.review), decision: decide(read.review) };
}

/** V8 quotes the text around the mistake, and a pod's environment may hold a password: neither log nor answer shows it. */
function withoutQuote(message: string): string {
  return message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' is out of place');
}
