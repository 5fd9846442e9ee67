/** What the two routes that the API server calls do: bytes in, decision, text out. */
import type { Mode } from '../admission/admit.ts';
import { readReview, type ReadReview, type Review } from '../admission/review.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { readBody, type Asked } from './body.ts';
import { refusal, type Answer, type ClientErrorCode } from './errors.ts';
import { PreparedAnswers, untouched, type PrepareOptions, type Prepared } from './prepared.ts';

export interface MutateOptions extends Omit<PrepareOptions, 'mode'> {
  /** The policy in force at this moment; one request sees one policy. */
  readonly policy: () => CompiledPolicy;
}

export interface ReviewRequest {
  /** Followed by one byte that is 0. */
  readonly body: Buffer;
  /** Content-Encoding, where there is one. */
  readonly encoding: string | undefined;
  /** Who asks, for the log. */
  readonly remote: () => string | undefined;
}

export type Reviewer = (request: ReviewRequest) => Answer;

/** Answers one review after the other. */
export function createReviewer(options: MutateOptions, mode: Mode): Reviewer {
  const { metrics, log } = options;
  const decided = new Decisions(options, mode);
  const duration = metrics.duration({ mode });
  const rejected = metrics.reviews({ mode, result: 'rejected' });
  const reject = (code: ClientErrorCode, detail: string, { remote }: ReviewRequest): Answer => {
    rejected.add();
    log.warn({ code, remote: remote() }, `request refused: ${detail}`);
    return refusal(code, detail);
  };
  return (request) => {
    const began = performance.now();
    if (request.encoding !== undefined) return reject('BODY_ENCODED', `the body is encoded as ${request.encoding}`, request);
    const body = readBody(request.body);
    if (!body.ok) return reject('BODY_NOT_JSON', body.problem, request);
    const decision = decided.on(body.asked);
    if (!decision.ok) return reject('REVIEW_INVALID', decision.problem, request);
    const { uid, prepared } = decision;
    const text = prepared.answer(uid);
    const seconds = (performance.now() - began) / 1000;
    duration.add(seconds);
    for (const tally of prepared.tallies) tally.add();
    prepared.line(uid, seconds);
    return { status: 200, contentType: 'application/json', body: text };
  };
}

type Decision = { readonly ok: true; readonly uid: string; readonly prepared: Prepared } | (ReadReview & { readonly ok: false });

class Decisions {
  readonly #options: MutateOptions & { readonly mode: Mode };
  readonly #answers: PreparedAnswers;

  constructor(options: MutateOptions, mode: Mode) {
    this.#options = { ...options, mode };
    this.#answers = new PreparedAnswers(this.#options);
  }

  on({ key, uid, value }: Asked): Decision {
    const policy = this.#options.policy();
    const known = key === null ? undefined : this.#answers.recall(key, policy);
    if (known !== undefined) return { ok: true, uid, prepared: known };
    const read = readReview(value());
    return read.ok ? { ok: true, uid: read.review.uid, prepared: this.#decide(key, read.review, policy) } : read;
  }

  #decide(key: string | null, review: Review, policy: CompiledPolicy): Prepared {
    try {
      return this.#answers.prepare(key, review, policy);
    } catch (error) {
      this.#options.log.error({ err: error, uid: review.uid, namespace: review.namespace }, 'the review could not be decided and the pod is left as it is; please report this');
      return untouched(this.#options);
    }
  }
}
