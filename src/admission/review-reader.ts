/** From the bytes of a request to its decision. The cache (src/review-cache) does the same faster; this is its specification. */
import { annotationFields, type AnnotationFields } from '../pod/annotations.ts';
import { identityOf, type Identity } from './identity.ts';
import { readReview, reviewFields, type DecisionInput, type ReadReview, type ReviewFields } from './review.ts';

/** Takes everything of a review but its identity. */
export type Decide<T> = (review: DecisionInput) => T;

/** How reviews are read: the fields, and a function that reads only these. */
export interface ReviewFormat {
  /** The same object for each review of that length in bytes. */
  readonly fields: (length: number) => ReviewFields;
  /** @param annotationsLength bytes of the undeclared annotations; null if they are in the document */
  readonly read: (document: unknown, fields: ReviewFields, annotationsLength: number | null) => ReadReview;
}

/** @param labels keys of the labels that decisions read */
export function reviewFormat(labels: readonly string[]): ReviewFormat {
  const made = new Map<AnnotationFields, ReviewFields>();
  const fields = (length: number): ReviewFields => {
    const annotations = annotationFields(length);
    const known = made.get(annotations) ?? reviewFields(labels, annotations);
    made.set(annotations, known);
    return known;
  };
  return { fields, read: readReview };
}

export type ReadResult<T> =
  | { readonly ok: true; readonly identity: Identity; readonly decision: T }
  | { readonly ok: false; readonly code: 'BODY_NOT_JSON' | 'REVIEW_INVALID'; readonly problem: string };

/** @param body followed by a zero byte */
export type ReviewReader<T> = (body: Buffer) => ReadResult<T>;

export function plainReader<T>({ fields, read }: ReviewFormat, decide: Decide<T>): ReviewReader<T> {
  const allFields = fields(Number.POSITIVE_INFINITY);
  return (body) => {
    const text = body.toString('utf8', 0, body.length - 1);
    if (text === '') return { ok: false, code: 'BODY_NOT_JSON', problem: 'the body is empty' };
    try {
      return decided(read(JSON.parse(text), allFields, null), decide);
    } catch (error) {
      if (!(error instanceof SyntaxError)) throw error;
      return { ok: false, code: 'BODY_NOT_JSON', problem: `the body is not JSON: ${withoutQuote(error.message)}` };
    }
  };
}

export function decided<T>(read: ReadReview, decide: Decide<T>): ReadResult<T> {
  if (!read.ok) return { ok: false, code: 'REVIEW_INVALID', problem: read.problem };
  return { ok: true, identity: identityOf(read.review), decision: decide(read.review) };
}

/** V8 quotes the text around the error, and a pod's environment may contain a password: neither log nor response may show it. */
function withoutQuote(message: string): string {
  return message.replace(/, (?:\.\.\.)?".*"(?:\.\.\.)? is not valid JSON$/s, ' is out of place');
}
