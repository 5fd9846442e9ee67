/** A decision, ready to be answered, counted and logged for every review that it is for. */
import { admit, type Admission, type Mode } from '../admission/admit.ts';
import { answer, answerText, type AnswerText } from '../admission/answer.ts';
import type { Identity } from '../admission/identity.ts';
import type { Question } from '../admission/review.ts';
import type { Scope } from '../admission/scope.ts';
import type { Metrics, ReviewResult } from '../observe/metrics.ts';
import type { Tally } from '../observe/tally.ts';
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
  /** One for the review and one for each image. */
  readonly #tallies: readonly Tally[];
  #isRepeated = false;
  #text: AnswerText | undefined;

  constructor(admission: Admission, tallies: readonly Tally[], log: ReviewLog) {
    this.#admission = admission;
    this.#tallies = tallies;
    this.#log = log;
  }

  /** The body of the answer. Once it is asked for again, all of it but the uid is kept as text. */
  answer(uid: string): string {
    if (this.#isRepeated) this.#text ??= answerText(this.#admission, base64);
    this.#isRepeated = true;
    return this.#text === undefined
      ? JSON.stringify(answer(uid, this.#admission, base64))
      : this.#text.before + JSON.stringify(uid) + this.#text.after;
  }

  record(identity: Identity, seconds: number): void {
    for (const tally of this.#tallies) tally.add();
    this.#log(identity, seconds);
  }
}

/** A fault of ours must not keep a pod from being made: it is admitted as it is. */
export function decide(review: Question, policy: CompiledPolicy, options: DecisionOptions): Decision {
  const { metrics, mode, scope } = options;
  try {
    const admission = admit(review, policy, scope, mode);
    const images = admission.images.map(({ rule, outcome }) => metrics.images({ rule: rule ?? '', outcome, mode }));
    return new Decision(
      admission,
      [metrics.reviews({ mode, result: resultOf(admission) }), ...images],
      reviewLog(review, admission, options),
    );
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
