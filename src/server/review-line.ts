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

export function reviewLine(log: Logger, logged: LoggedReviews, { review, admission, seconds }: ReviewLine): void {
  const hasProblem = admission.images.some(({ outcome }) => outcome === 'invalid' || outcome === 'refused');
  const isRewritten = admission.images.some(({ outcome }) => outcome === 'rewritten');
  if (!hasProblem && (logged === 'problems' || (logged === 'rewritten' && !isRewritten))) return;
  const { pod } = review;
  const fields = {
    uid: review.uid,
    namespace: review.namespace,
    pod: pod.name || review.name || (pod.generateName === '' ? '' : `${pod.generateName}*`),
    owner: pod.owner === null ? null : `${pod.owner.kind}/${pod.owner.name}`,
    operation: review.subResource === '' ? review.operation : `${review.operation} ${review.subResource}`,
    mode: admission.mode,
    dryRun: review.dryRun,
    images: admission.images.map(({ site, image, outcome, rule, result, reason }) => ({ name: site.name, image, outcome, rule, result, reason })),
    pullSecrets: admission.pullSecrets,
    durationMs: Math.round(seconds * 1e6) / 1000,
  };
  if (admission.skipped !== null) log.info({ ...fields, skipped: admission.skipped }, 'review skipped');
  else log[hasProblem ? 'warn' : 'info'](fields, 'review');
}
