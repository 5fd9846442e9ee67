/**
 * Decisions made ready to be sent, counted and logged. The pods of a ReplicaSet ask the same one after the other, so a bounded
 * number of answers is remembered, for one policy.
 */
import { LRUCache } from 'lru-cache';
import { admit, type Admission, type Mode } from '../admission/admit.ts';
import { answer, answerText } from '../admission/answer.ts';
import type { Review } from '../admission/review.ts';
import type { Scope } from '../admission/scope.ts';
import type { Metrics, ReviewResult } from '../observe/metrics.ts';
import type { Tally } from '../observe/tally.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { writtenNames, type WrittenNames } from './names.ts';
import { reviewLine, type LineOptions, type ReviewLine } from './review-line.ts';

export interface Prepared {
  /** The text of the answer to the review with that uid. */
  readonly answer: (uid: string) => string;
  /** One for the review and one for each image. */
  readonly tallies: readonly Tally[];
  readonly line: ReviewLine;
  /** As the review had them for which it was made; of another one, those that were told aside are others. */
  readonly names: WrittenNames;
}

export interface PrepareOptions extends LineOptions {
  readonly scope: Scope;
  readonly metrics: Metrics;
  readonly mode: Mode;
}

/** A cluster that starts many pods at once starts few kinds of them. Some 5 MiB at most, see `longestKey`. */
const mostAnswers = 500;
/** Characters. A pod of twenty containers asks with 4,000; what asks with more is decided anew each time. */
const longestKey = 8_192;

/** What was asked once: only what comes again is worth to be made ready. */
const once = Symbol('once');

export class PreparedAnswers {
  readonly #options: PrepareOptions;
  readonly #policy: CompiledPolicy;
  readonly #known = new LRUCache<string, Prepared | typeof once>({ max: mostAnswers });

  constructor(options: PrepareOptions, policy: CompiledPolicy) {
    this.#options = options;
    this.#policy = policy;
  }

  recall(key: string): Prepared | undefined {
    const known = this.#known.get(key);
    return known === once ? undefined : known;
  }

  /**
   * @param key the same for all reviews that differ from this one in their names only; null when there is none
   * @throws whatever the engine throws, which would be a fault of it
   */
  prepare(key: string | null, review: Review): Prepared {
    const { scope, mode } = this.#options;
    const isRemembered = key !== null && this.#known.peek(key) === once;
    const prepared = prepareAnswer(review, admit(review, this.#policy, scope, mode), this.#options, isRemembered);
    if (key !== null && key.length <= longestKey) this.#known.set(key, isRemembered ? prepared : once);
    return prepared;
  }
}

function prepareAnswer(review: Review, admission: Admission, options: PrepareOptions, isRemembered: boolean): Prepared {
  const { metrics, mode } = options;
  return {
    answer: answerer(admission, isRemembered),
    tallies: [metrics.reviews({ mode, result: resultOf(admission) }), ...admission.images.map((image) => metrics.images({ rule: image.rule ?? '', outcome: image.outcome, mode }))],
    line: reviewLine(review, admission, options, isRemembered),
    names: writtenNames(review),
  };
}

/** For a review that the engine failed at: a fault of ours must not keep a pod from being made, so it is admitted as it is. */
export function untouched(review: Review, { metrics, mode }: PrepareOptions): Prepared {
  const admission: Admission = { mode, skipped: null, images: [], pullSecrets: [], operations: [], warnings: [], auditAnnotations: {} };
  return { answer: answerer(admission, false), tallies: [metrics.reviews({ mode, result: 'failed' })], line: () => {}, names: writtenNames(review) };
}

function answerer(admission: Admission, isRemembered: boolean): Prepared['answer'] {
  if (!isRemembered) return (uid) => JSON.stringify(answer(uid, admission, base64));
  const { before, after } = answerText(admission, base64);
  return (uid) => before + JSON.stringify(uid) + after;
}

function resultOf(admission: Admission): ReviewResult {
  if (admission.skipped !== null) return 'skipped';
  return admission.operations.length > 0 ? 'patched' : 'unpatched';
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
