/** The two routes that the API server calls: bytes in, decision, bytes out. */
import type { FastifyReply, FastifyRequest } from 'fastify';
import type { Logger } from 'pino';
import { admit, type Admission, type Mode } from '../admission/admit.ts';
import { answer } from '../admission/answer.ts';
import { readReview, type ReadReview, type Review } from '../admission/review.ts';
import type { Scope } from '../admission/scope.ts';
import type { Metrics, ReviewResult } from '../observe/metrics.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { readBody } from './body.ts';
import { refuse, type ClientErrorCode } from './errors.ts';
import { reviewLine, type LoggedReviews } from './review-line.ts';

export interface MutateOptions {
  /** The policy in force at this moment; one request sees one policy. */
  readonly policy: () => CompiledPolicy;
  readonly scope: Scope;
  readonly metrics: Metrics;
  readonly log: Logger;
  readonly loggedReviews: LoggedReviews;
}

interface Refusal {
  readonly code: ClientErrorCode;
  readonly detail: string;
}

export type Handler = (request: FastifyRequest, reply: FastifyReply) => FastifyReply;

export function mutateHandler(options: MutateOptions, mode: Mode): Handler {
  const { metrics } = options;
  return (request, reply) => {
    const began = performance.now();
    if (request.headers['content-encoding'] !== undefined) return reject(reply, options, mode, { code: 'BODY_ENCODED', detail: `the body is encoded as ${request.headers['content-encoding']}` });
    const json = readBody(request.body);
    if (!json.ok) return reject(reply, options, mode, { code: 'BODY_NOT_JSON', detail: json.problem });
    const read: ReadReview = readReview(json.value);
    if (!read.ok) return reject(reply, options, mode, { code: 'REVIEW_INVALID', detail: read.problem });
    const admission = decide(options, read.review, mode);
    const body = JSON.stringify(answer(read.review.uid, admission ?? untouched(mode), base64));
    const seconds = (performance.now() - began) / 1000;
    metrics.duration.observe({ mode }, seconds);
    metrics.reviews.inc({ mode, result: resultOf(admission) });
    for (const image of admission?.images ?? []) metrics.images.inc({ rule: image.rule ?? '', outcome: image.outcome, mode });
    if (admission !== null) reviewLine(options.log, options.loggedReviews, { review: read.review, admission, seconds });
    return reply.header('content-type', 'application/json').send(body);
  };
}

/** Null when the engine failed: a fault of ours must not keep a pod from being made, so it is then admitted as it is. */
function decide({ policy, scope, log }: MutateOptions, review: Review, mode: Mode): Admission | null {
  try {
    return admit(review, policy(), scope, mode);
  } catch (error) {
    log.error({ err: error, uid: review.uid, namespace: review.namespace }, 'the review could not be decided and the pod is left as it is; please report this');
    return null;
  }
}

function untouched(mode: Mode): Admission {
  return { mode, skipped: null, images: [], pullSecrets: [], operations: [], warnings: [], auditAnnotations: {} };
}

function resultOf(admission: Admission | null): ReviewResult {
  if (admission === null) return 'failed';
  if (admission.skipped !== null) return 'skipped';
  return admission.operations.length > 0 ? 'patched' : 'unpatched';
}

function reject(reply: FastifyReply, { metrics, log }: MutateOptions, mode: Mode, { code, detail }: Refusal): FastifyReply {
  metrics.reviews.inc({ mode, result: 'rejected' });
  log.warn({ code, remote: reply.request.ip }, `request refused: ${detail}`);
  return refuse(reply, code, detail);
}

function base64(text: string): string {
  return Buffer.from(text, 'utf8').toString('base64');
}
