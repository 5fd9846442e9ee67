/** The one log line of a review: who, where, what became of each image, and why. */
import type { Logger } from 'pino';
import type { Admission } from '../admission/admit.ts';
import type { Identity } from '../admission/identity.ts';
import type { DecisionInput } from '../admission/review.ts';

/** Which reviews are logged: every one, those with a rewritten image or a problem, or those with a problem. */
export const loggedReviewKinds = ['all', 'rewritten', 'problems'] as const;
export type LoggedReviews = (typeof loggedReviewKinds)[number];

export interface LogOptions {
  readonly log: Logger;
  readonly loggedReviews: LoggedReviews;
}

/** Writes the line of one review. */
export type ReviewLog = (identity: Identity, seconds: number) => void;

/**
 * Admission runs before validation, so a pod author's names and images may have megabytes, and a pod ten thousand containers. A log
 * line keeps to what is valid: an image has 255 characters of name, 128 of tag, 135 of digest and the marks between.
 */
const maxImageLength = 520;
const maxReasonLength = 2 * maxImageLength;
const maxImages = 100;

export function reviewLog(review: DecisionInput, admission: Admission, { log, loggedReviews }: LogOptions): ReviewLog {
  const hasProblem = admission.images.some(({ outcome }) => outcome === 'invalid' || outcome === 'refused');
  const isRewritten = admission.images.some(({ outcome }) => outcome === 'rewritten');
  if (!hasProblem && (loggedReviews === 'problems' || (loggedReviews === 'rewritten' && !isRewritten))) return () => {};
  const level = hasProblem ? 'warn' : 'info';
  const message = admission.skipped === null ? 'review' : 'review skipped';
  const fields = fieldsOf(review, admission);
  let bound: Logger | null | undefined;
  return (identity, seconds) => {
    const own = { ...identityFields(identity), durationMs: milliseconds(seconds) };
    // A child writes what it is bound to as text, made once; making one costs as much as some lines, so only where a second line comes.
    if (bound === null) bound = log.child(fields);
    if (bound !== undefined) return bound[level](own, message);
    bound = null;
    const { durationMs, ...names } = own;
    return log[level]({ ...names, ...fields, durationMs }, message);
  };
}

export function failureLog(review: DecisionInput, err: unknown, { log }: LogOptions): ReviewLog {
  return ({ uid }) =>
    log.error(
      { err, uid, namespace: review.namespace },
      'the review could not be decided and the pod is left as it is; please report this',
    );
}

/** The identity as a log line has it: `pod` is its name, or `generateName` and a star; empty when it has neither. */
export function identityFields({ uid, name, podName, generateName, owner }: Identity): {
  readonly uid: string;
  readonly pod: string;
  readonly owner: string | null;
} {
  return {
    uid,
    pod: shortName(podName || name) || (generateName === '' ? '' : `${shortName(generateName)}*`),
    owner: owner === null ? null : shortName(`${owner.kind}/${owner.name}`),
  };
}

const maxNameLength = 253;

/** Admission runs before validation, so a name may have megabytes: a log line keeps to what is valid. */
function shortName(text: string): string {
  return text.slice(0, maxNameLength);
}

function fieldsOf(review: DecisionInput, { mode, images, pullSecrets, skipped }: Admission): object {
  return {
    namespace: shortName(review.namespace),
    operation: shortName(review.subResource === '' ? review.operation : `${review.operation} ${review.subResource}`),
    mode,
    dryRun: review.dryRun,
    images: images.slice(0, maxImages).map(({ site, image, outcome, rule, result, reason }) => ({
      name: shortName(site.name),
      image: image.slice(0, maxImageLength),
      outcome,
      rule,
      result,
      reason: reason.slice(0, maxReasonLength),
    })),
    ...(images.length > maxImages ? { imagesLeftOut: images.length - maxImages } : {}),
    pullSecrets,
    ...(skipped === null ? {} : { skipped: skipped.sentence.slice(0, maxReasonLength), skipReason: skipped.code }),
  };
}

function milliseconds(seconds: number): number {
  return Math.round(seconds * 1e6) / 1000;
}
