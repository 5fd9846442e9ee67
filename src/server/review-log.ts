/** The log line of a review: the pod, the client, and the outcome of each image with its reason. */
import type { Logger } from 'pino';
import type { Admission } from '../admission/admit.ts';
import type { Identity } from '../admission/identity.ts';
import type { DecisionInput } from '../admission/review.ts';

/** Which reviews are logged: all, those with a rewritten image or a problem, or those with a problem. */
export const loggedReviewKinds = ['all', 'rewritten', 'problems'] as const;
export type LoggedReviews = (typeof loggedReviewKinds)[number];

export interface LogOptions {
  readonly log: Logger;
  readonly loggedReviews: LoggedReviews;
}

/**
 * Admission runs before validation, so the names and images of a pod may have megabytes, and a pod ten thousand containers. A log line is
 * limited to valid lengths: an image has 255 characters of name, 128 of tag, 135 of digest, and separators.
 */
const maxImageLength = 520;
const maxReasonLength = 2 * maxImageLength;
const maxImages = 100;

/** Writes the line of each review with the same decision. */
export class ReviewLog {
  readonly #message: string;
  readonly #write: 'info' | 'warn';
  /** Null if such reviews are not logged. */
  #log: Logger | null;
  /** Null once they are bound to the log. */
  #fields: object | null;
  #lines = 0;
  readonly bytes: number;

  constructor(review: DecisionInput, admission: Admission, { log, loggedReviews }: LogOptions) {
    const hasProblem = admission.skipped?.code === 'too-large' || admission.images.some(isProblem);
    this.#write = hasProblem ? 'warn' : 'info';
    this.#message = admission.skipped === null ? 'review' : 'review skipped';
    this.#log = hasProblem || isLogged(admission, loggedReviews) ? log : null;
    this.#fields = this.#log === null ? null : fieldsOf(review, admission);
    this.bytes = this.#log === null ? 0 : 300 + 2 * lengthOf(admission);
  }

  write(identity: Identity, seconds: number): void {
    if (this.#log === null) return;
    this.#lines += 1;
    // A child logger serializes its bindings once; creating it costs as much as some lines, so it is only created for a second line.
    if (this.#lines === 2 && this.#fields !== null) {
      this.#log = this.#log.child(this.#fields);
      this.#fields = null;
    }
    this.#log[this.#write]({ ...identityFields(identity), ...this.#fields, durationMs: milliseconds(seconds) }, this.#message);
  }
}

function isProblem({ outcome }: Admission['images'][number]): boolean {
  return outcome === 'invalid' || outcome === 'refused';
}

function isLogged({ images }: Admission, loggedReviews: LoggedReviews): boolean {
  return loggedReviews === 'all' || (loggedReviews === 'rewritten' && images.some(({ outcome }) => outcome === 'rewritten'));
}

/** Approximate maximum length of the fields, in characters. */
function lengthOf({ images }: Admission): number {
  return images
    .slice(0, maxImages)
    .reduce(
      (sum, { site, image, result, reason }) => sum + 120 + site.name.length + image.length + (result?.length ?? 0) + reason.length,
      0,
    );
}

export class FailureLog {
  readonly #log: Logger;
  readonly #fields: object;
  readonly bytes = 2_000;

  constructor({ namespace }: DecisionInput, err: unknown, { log }: LogOptions) {
    this.#log = log;
    this.#fields = { err, namespace: shortName(namespace) };
  }

  write({ uid }: Identity): void {
    this.#log.error({ ...this.#fields, uid }, 'the review could not be decided and the pod is left as it is; please report this');
  }
}

/** The identity in a log line: `pod` is the name, or `generateName` and a star; empty if it has neither. */
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

/** Admission runs before validation, so a name may have megabytes: a log line is limited to valid lengths. */
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
