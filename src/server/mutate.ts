/** What the two routes that the API server calls do: bytes in, decision, text out. */
import type { Mode } from '../admission/admit.ts';
import { readReview, type ReadReview, type Review } from '../admission/review.ts';
import { reviewShape } from '../admission/review-shape.ts';
import { scopeLabels } from '../admission/scope.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { BodyReader, type Asked } from './body.ts';
import { refusal, type Answer, type ClientErrorCode } from './errors.ts';
import { namesOf, writtenNames, type Names, type Told } from './names.ts';
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
  const prepareOptions = { ...options, mode };
  let decisions = new Decisions(options.policy(), prepareOptions);
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
    const policy = options.policy();
    if (policy !== decisions.policy) decisions = new Decisions(policy, prepareOptions);
    const body = decisions.bodies.read(request.body);
    if (!body.ok) return reject('BODY_NOT_JSON', body.problem, request);
    const decision = decisions.on(body.asked);
    if (!decision.ok) return reject('REVIEW_INVALID', decision.problem, request);
    const { names, prepared } = decision;
    const text = prepared.answer(names.uid);
    const seconds = (performance.now() - began) / 1000;
    duration.add(seconds);
    for (const tally of prepared.tallies) tally.add();
    prepared.line(names, seconds);
    return { status: 200, contentType: 'application/json', body: text };
  };
}

type Decision = { readonly ok: true; readonly names: Names; readonly prepared: Prepared } | (ReadReview & { readonly ok: false });

/** What is remembered under one policy. */
class Decisions {
  readonly policy: CompiledPolicy;
  readonly bodies: BodyReader;
  readonly #answers: PreparedAnswers;
  readonly #options: PrepareOptions;

  constructor(policy: CompiledPolicy, options: PrepareOptions) {
    this.policy = policy;
    this.bodies = new BodyReader(reviewShape([...scopeLabels, ...policy.table.labelKeys]));
    this.#answers = new PreparedAnswers(options, policy);
    this.#options = options;
  }

  on({ key, told, value }: Asked): Decision {
    const known = key === null ? undefined : this.#answers.recall(key);
    if (known !== undefined) return { ok: true, names: namesOf(known.names, told), prepared: known };
    const read = readReview(value());
    if (!read.ok) return read;
    const prepared = this.#prepare(key, read.review, told);
    return { ok: true, names: namesOf(prepared.names, told), prepared };
  }

  #prepare(key: string | null, review: Review, told: Told): Prepared {
    try {
      return this.#answers.prepare(key, review);
    } catch (error) {
      const { uid } = namesOf(writtenNames(review), told);
      this.#options.log.error({ err: error, uid, namespace: review.namespace }, 'the review could not be decided and the pod is left as it is; please report this');
      return untouched(review, this.#options);
    }
  }
}
