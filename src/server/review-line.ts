/** The one log line of a review: who, where, what became of each image, and why. */
import type { Logger } from 'pino';
import type { Admission } from '../admission/admit.ts';
import type { Review } from '../admission/review.ts';

/** Which reviews are logged: every one, those with a rewritten image or a problem, or those with a problem. */
export const loggedReviewKinds = ['all', 'rewritten', 'problems'] as const;
export type LoggedReviews = (typeof loggedReviewKinds)[number];

export interface ReviewLine {
  readonly review: Review;
  readonly admission: Admission;
  readonly seconds: number;
}

/**
 * Admission runs before validation, so a pod author's names and images may have megabytes, and a pod ten thousand containers. A log
 * line keeps to what is valid: an image has 255 characters of name, 128 of tag, 135 of digest and the marks between.
 */
const longestImage = 520;
const longestReason = 2 * longestImage;
const longestName = 253;
const mostImages = 100;

export function reviewLine(log: Logger, logged: LoggedReviews, { review, admission, seconds }: ReviewLine): void {
  const hasProblem = admission.images.some(({ outcome }) => outcome === 'invalid' || outcome === 'refused');
  const isRewritten = admission.images.some(({ outcome }) => outcome === 'rewritten');
  if (!hasProblem && (logged === 'problems' || (logged === 'rewritten' && !isRewritten))) return;
  const { pod } = review;
  const fields = {
    uid: review.uid,
    namespace: name(review.namespace),
    pod: name(pod.name || review.name) || (pod.generateName === '' ? '' : `${name(pod.generateName)}*`),
    owner: pod.owner === null ? null : name(`${pod.owner.kind}/${pod.owner.name}`),
    operation: name(review.subResource === '' ? review.operation : `${review.operation} ${review.subResource}`),
    mode: admission.mode,
    dryRun: review.dryRun,
    images: admission.images.slice(0, mostImages).map(({ site, image, outcome, rule, result, reason }) => ({ name: name(site.name), image: image.slice(0, longestImage), outcome, rule, result, reason: reason.slice(0, longestReason) })),
    ...(admission.images.length > mostImages ? { imagesLeftOut: admission.images.length - mostImages } : {}),
    pullSecrets: admission.pullSecrets,
    durationMs: Math.round(seconds * 1e6) / 1000,
  };
  if (admission.skipped !== null) log.info({ ...fields, skipped: admission.skipped.slice(0, longestReason) }, 'review skipped');
  else log[hasProblem ? 'warn' : 'info'](fields, 'review');
}

function name(text: string): string {
  return text.slice(0, longestName);
}
