/** Handler of the two routes for the API server: from the bytes of a review to its decision and the text of the response. */
import { decisionLabels, type Mode } from '../admission/admit.ts';
import { plainReader, reviewFormat, type Decide, type ReviewReader } from '../admission/review-reader.ts';
import { skipCodes } from '../admission/scope.ts';
import { cachedReader } from '../review-cache/review-cache.ts';
import { reviewResults, type Metrics } from '../observe/metrics.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { decide, type Decision, type DecisionOptions } from './decision.ts';
import { errorResponse, type HttpResponse, type ClientErrorCode } from './errors.ts';

export interface ReviewerOptions extends Omit<DecisionOptions, 'mode'> {
  /** The current policy; one request sees one policy. */
  readonly policy: () => CompiledPolicy;
  /** False: every body is parsed completely, and nothing is cached. */
  readonly reviewCache: boolean;
}

export interface ReviewRequest {
  /** Followed by a zero byte. */
  readonly body: Buffer;
  /** Content-Encoding, if any. */
  readonly encoding: string | undefined;
  /** Address of the client, for the log. */
  readonly remote: () => string | undefined;
}

export type Reviewer = (request: ReviewRequest) => HttpResponse;

/** Answers one review after the other. */
export function createReviewer(options: ReviewerOptions, mode: Mode): Reviewer {
  const { metrics, log } = options;
  const duration = metrics.duration({ mode });
  startCounters(metrics, mode);
  const rejected = metrics.reviews({ mode, result: 'rejected' });
  const readerFor = (inForce: CompiledPolicy): ReviewReader<Decision> => {
    startImageCounters(metrics, inForce, mode);
    const format = reviewFormat(decisionLabels(inForce));
    const decideBy: Decide<Decision> = (review) => decide(review, inForce, { ...options, mode });
    if (!options.reviewCache) return plainReader(format, decideBy);
    const reader = cachedReader(format, decideBy, ({ bytes }) => bytes);
    metrics.reviewCacheBytes({ mode }, reader.bytes);
    return reader;
  };
  let policy = options.policy();
  let read = readerFor(policy);
  const reject = (code: ClientErrorCode, detail: string, { remote }: ReviewRequest): HttpResponse => {
    rejected.inc();
    log.warn({ code, remote: remote() }, `request refused: ${detail}`);
    return errorResponse(code, detail);
  };
  return (request) => {
    const began = performance.now();
    if (request.encoding !== undefined) return reject('BODY_ENCODED', `the body is encoded as ${request.encoding}`, request);
    const inForce = options.policy();
    if (inForce !== policy) {
      policy = inForce;
      read = readerFor(inForce);
    }
    const result = read(request.body);
    if (!result.ok) return reject(result.code, result.problem, request);
    const { identity } = result;
    const decision = result.decision.fitting(request.body.length);
    const body = decision.answer(identity.uid);
    const seconds = (performance.now() - began) / 1000;
    duration.observe(seconds);
    decision.record(identity, seconds);
    return { status: 200, contentType: 'application/json', body };
  };
}

/** Starts at 0, so that `increase()` in an alert sees the first one. */
function startImageCounters(metrics: Metrics, { rules }: CompiledPolicy, mode: Mode): void {
  for (const rule of rules) metrics.images({ rule: rule.policy.name, outcome: 'refused', mode });
}

function startCounters(metrics: Metrics, mode: Mode): void {
  for (const result of Object.keys(reviewResults)) metrics.reviews({ mode, result });
  for (const reason of Object.keys(skipCodes)) metrics.skipped({ reason, mode });
}
