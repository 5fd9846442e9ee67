/** A decision that can be answered, counted and logged for every review that it holds for. */
import { admit, type Admission, type Mode } from '../admission/admit.ts';
import { responseText, toResponse, type ResponseText } from '../admission/response.ts';
import type { Identity } from '../admission/identity.ts';
import type { DecisionInput } from '../admission/review.ts';
import type { Scope } from '../admission/scope.ts';
import type { Metrics, ReviewResult } from '../observe/metrics.ts';
import type { BufferedCounter } from '../observe/buffered-metrics.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { failureLog, reviewLog, type LogOptions, type ReviewLog } from './review-log.ts';

export interface DecisionOptions extends LogOptions {
  readonly scope: Scope;
  readonly metrics: Metrics;
  readonly mode: Mode;
}

export class Decision {
  readonly #admission: Admission;
  readonly #log: ReviewLog;
  /** Those of the review and one for each image. */
  readonly #counters: readonly BufferedCounter[];
  #isRepeated = false;
  #text: ResponseText | undefined;

  constructor(admission: Admission, counters: readonly BufferedCounter[], log: ReviewLog) {
    this.#admission = admission;
    this.#counters = counters;
    this.#log = log;
  }

  /** The body of the response. From its second use on, all of it but the uid is kept as text. */
  answer(uid: string): string {
    if (this.#isRepeated) this.#text ??= responseText(this.#admission, base64);
    this.#isRepeated = true;
    return this.#text === undefined
      ? JSON.stringify(toResponse(uid, this.#admission, base64))
      : this.#text.before + JSON.stringify(uid) + this.#text.after;
  }

  record(identity: Identity, seconds: number): void {
    for (const counter of this.#counters) counter.inc();
    this.#log(identity, seconds);
  }
}

/** A fault of transship must not keep a pod from being made: the pod is admitted as it is. */
export function decide(review: DecisionInput, policy: CompiledPolicy, options: DecisionOptions): Decision {
  const { metrics, mode, scope } = options;
  try {
    const admission = admit(review, policy, scope, mode);
    const counters = [
      metrics.reviews({ mode, result: resultOf(admission) }),
      ...(admission.skipped === null ? [] : [metrics.skipped({ reason: admission.skipped.code, mode })]),
      ...admission.images.map(({ rule, outcome }) => metrics.images({ rule: rule ?? '', outcome, mode })),
    ];
    return new Decision(admission, counters, reviewLog(review, admission, options));
  } catch (error) {
    const untouched: Admission = { mode, skipped: null, images: [], pullSecrets: [], operations: [], warnings: [], auditAnnotations: {} };
    return new Decision(untouched, [metrics.reviews({ mode, result: 'failed' })], failureLog(review, error, options));
  }
}

function resultOf(admission: Admission): ReviewResult {
  if (admission.skipped !== null) return 'skipped';
  return admission.operations.length > 0 ? 'patched' : 'unpatched';
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
