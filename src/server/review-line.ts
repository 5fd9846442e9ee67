/** The one log line of a review: who, where, what became of each image, and why. */
import type { Logger } from 'pino';
import type { Admission } from '../admission/admit.ts';
import type { Review } from '../admission/review.ts';
import { shortName, type Names } from './names.ts';

/** Which reviews are logged: every one, those with a rewritten image or a problem, or those with a problem. */
export const loggedReviewKinds = ['all', 'rewritten', 'problems'] as const;
export type LoggedReviews = (typeof loggedReviewKinds)[number];

export interface LineOptions {
  readonly log: Logger;
  readonly loggedReviews: LoggedReviews;
}

/** Writes the line of one review. */
export type ReviewLine = (names: Names, seconds: number) => void;

/**
 * Admission runs before validation, so a pod author's names and images may have megabytes, and a pod ten thousand containers. A log
 * line keeps to what is valid: an image has 255 characters of name, 128 of tag, 135 of digest and the marks between.
 */
const longestImage = 520;
const longestReason = 2 * longestImage;
const mostImages = 100;

/** @param isRemembered whether more reviews will have the same line but for their names; then it pays to put the rest into text beforehand */
export function reviewLine(review: Review, admission: Admission, { log, loggedReviews }: LineOptions, isRemembered: boolean): ReviewLine {
  const hasProblem = admission.images.some(({ outcome }) => outcome === 'invalid' || outcome === 'refused');
  const isRewritten = admission.images.some(({ outcome }) => outcome === 'rewritten');
  if (!hasProblem && (loggedReviews === 'problems' || (loggedReviews === 'rewritten' && !isRewritten))) return () => {};
  const level = hasProblem ? 'warn' : 'info';
  const message = admission.skipped === null ? 'review' : 'review skipped';
  const fields = fieldsOf(review, admission);
  if (!isRemembered) return ({ uid, pod, owner }, seconds) => log[level]({ uid, pod, owner, ...fields, durationMs: milliseconds(seconds) }, message);
  // A child writes what it is bound to once, as text; making one costs as much as some lines.
  const bound = log.child(fields);
  return ({ uid, pod, owner }, seconds) => bound[level]({ uid, pod, owner, durationMs: milliseconds(seconds) }, message);
}

function fieldsOf(review: Review, { mode, images, pullSecrets, skipped }: Admission): object {
  return {
    namespace: shortName(review.namespace),
    operation: shortName(review.subResource === '' ? review.operation : `${review.operation} ${review.subResource}`),
    mode,
    dryRun: review.dryRun,
    images: images.slice(0, mostImages).map(({ site, image, outcome, rule, result, reason }) => ({ name: shortName(site.name), image: image.slice(0, longestImage), outcome, rule, result, reason: reason.slice(0, longestReason) })),
    ...(images.length > mostImages ? { imagesLeftOut: images.length - mostImages } : {}),
    pullSecrets,
    ...(skipped === null ? {} : { skipped: skipped.slice(0, longestReason) }),
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1000;
}
