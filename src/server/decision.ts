/** A decision with its response, counters and log line, reused for every review that it applies to. */
import { admit, leftAlone, type Admission, type Mode } from '../admission/admit.ts';
import { responseText, type ResponseText } from '../admission/response.ts';
import type { Identity } from '../admission/identity.ts';
import type { DecisionInput } from '../admission/review.ts';
import type { Scope } from '../admission/scope.ts';
import type { Metrics, ReviewResult } from '../observe/metrics.ts';
import type { BufferedCounter } from '../observe/buffered-metrics.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { FailureLog, ReviewLog, type LogOptions } from './review-log.ts';

export interface DecisionOptions extends LogOptions {
  readonly scope: Scope;
  readonly metrics: Metrics;
  readonly mode: Mode;
}

/** Bytes that a response may have in addition to twice the review. A pod of a hundred images needs less. */
const freeLength = 64 * 1024;

interface Parts {
  readonly text: ResponseText;
  readonly log: ReviewLog | FailureLog;
  /** Counters of the review and of each image. */
  readonly counters: readonly BufferedCounter[];
  /** The decision used if the response would be too long; null if it never is. */
  readonly ifTooLong: Decision | null;
}

/** Holds texts and counters, but nothing of the review or the admission. */
export class Decision {
  readonly #parts: Parts;

  constructor(parts: Parts) {
    this.#parts = parts;
  }

  /** Estimated bytes on the heap. */
  get bytes(): number {
    const { text, log, counters, ifTooLong } = this.#parts;
    return 500 + text.before.length + text.after.length + log.bytes + 8 * counters.length + (ifTooLong?.bytes ?? 0);
  }

  /** This decision, or another if its response would be more than twice as long as the review. @param length bytes of the review */
  fitting(length: number): Decision {
    const { text, ifTooLong } = this.#parts;
    return ifTooLong !== null && text.after.length > 2 * length + freeLength ? ifTooLong : this;
  }

  /** The body of the response. */
  answer(uid: string): string {
    const { before, after } = this.#parts.text;
    return before + JSON.stringify(uid) + after;
  }

  record(identity: Identity, seconds: number): void {
    for (const counter of this.#parts.counters) counter.inc();
    this.#parts.log.write(identity, seconds);
  }
}

/** A bug of transship must not prevent the creation of a pod: it is admitted unchanged. */
export function decide(review: DecisionInput, policy: CompiledPolicy, options: DecisionOptions): Decision {
  const { metrics, mode, scope } = options;
  try {
    return decisionOf(review, admit(review, policy, scope, mode), options);
  } catch (error) {
    return new Decision({
      text: responseText(leftAlone(mode, null), base64),
      log: new FailureLog(review, error, options),
      counters: [metrics.reviews({ mode, result: 'failed' })],
      ifTooLong: null,
    });
  }
}

function decisionOf(review: DecisionInput, admission: Admission, options: DecisionOptions): Decision {
  const { metrics, mode } = options;
  const text = responseText(admission, base64);
  const counters = [metrics.reviews({ mode, result: resultOf(admission) })];
  if (admission.skipped !== null) counters.push(metrics.skipped({ reason: admission.skipped.code, mode }));
  for (const { rule, outcome } of admission.images) counters.push(metrics.images({ rule: rule ?? '', outcome, mode }));
  const sentence = 'the answer would be more than twice as long as the review';
  const ifTooLong = text.after.length <= freeLength ? null : decisionOf(review, leftAlone(mode, { code: 'too-large', sentence }), options);
  return new Decision({ text, log: new ReviewLog(review, admission, options), counters, ifTooLong });
}

function resultOf(admission: Admission): ReviewResult {
  if (admission.skipped !== null) return 'skipped';
  return admission.operations.length > 0 ? 'patched' : 'unpatched';
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
