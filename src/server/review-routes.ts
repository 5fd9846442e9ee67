/** POST /mutate and /shadow as fastify routes, from the headers of a request to the last byte of its response. */
import type { FastifyInstance, FastifyReply, FastifyRequest } from 'fastify';
import type { Server } from 'node:https';
import type { Connections } from './connections.ts';
import { errorResponse, internalError, type ClientErrorCode, type HttpResponse } from './errors.ts';
import { FairQueue } from './fair-queue.ts';
import { InFlightRequest, type InFlightRequests } from './in-flight.ts';
import { keptBody, maxBodyBytes, receiveBody, type BodyProblem } from './request-body.ts';
import type { Reviewer } from './reviewer.ts';

declare module 'fastify' {
  interface FastifyRequest {
    /** For an admitted review. */
    inFlight: InFlightRequest | null;
  }
}

export interface ReviewRoutesOptions {
  /** By path. */
  readonly reviewers: ReadonlyMap<string, Reviewer>;
  readonly connections: Connections;
  readonly inFlight: InFlightRequests;
  /** Whether clients must present a certificate signed by the client CA. */
  readonly needsClientCertificate: boolean;
  /** @param isLast whether the connection is closed after it */
  readonly respond: (reply: FastifyReply, response: HttpResponse, isLast?: boolean) => void;
  /** Counts and logs a review that is rejected without being read. */
  readonly onRejected: (request: FastifyRequest, code: ClientErrorCode, detail: string) => void;
  /** Must not throw. */
  readonly logInternalError: (error: unknown) => void;
}

type ReviewInstance = FastifyInstance<Server>;

export function addReviewRoutes(app: ReviewInstance, options: ReviewRoutesOptions): void {
  const { reviewers, inFlight } = options;
  const maxBytes = Math.min(maxBodyBytes, inFlight.budget.largest);
  const turns = new FairQueue();
  app.decorateRequest('inFlight', null);
  // As bytes: most bodies are only parsed in part.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (request, payload, done) => {
    const entered = request.inFlight;
    const hold = (bytes: number): boolean => entered !== null && inFlight.hold(entered, bytes);
    receiveBody(payload, { hold, maxBytes }, (body) => {
      if (entered === null || typeof body === 'string') return done(null, body);
      if (entered.state === 'ended') return;
      entered.state = 'waiting';
      const { client } = entered.connection;
      if (!turns.mustWait(client)) return done(null, body);
      const kept = keptBody(body, hold);
      // Reviews that were ended, or whose client disconnected, need no decision.
      turns.add(client, () => void (entered.state === 'ended' || done(null, kept)));
    });
  });
  const onRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const refused = enter(request, reply, options);
    if (refused === null) done();
    else reject(request, reply, options, refused);
  };
  for (const [path, review] of reviewers) {
    app.post<{ Body: Buffer | BodyProblem | undefined }>(path, { onRequest }, (request, reply) => {
      const { body = emptyBody, inFlight: entered } = request;
      if (entered === null || reply.sent) return;
      if (typeof body === 'string') return reject(request, reply, options, bodyError(body, maxBytes));
      const response = answer(request, body, review, options);
      entered.state = 'responding';
      // fastify keeps it until the response is read, which may take long.
      request.body = undefined;
      // Small responses are written at once, and they are frequent.
      if (response.body.length > smallResponse && !inFlight.hold(entered, response.body.length * copiesOfResponse))
        return reject(request, reply, options, bodyError('no-memory', maxBytes));
      options.respond(reply, response);
    });
  }
}

interface Rejection {
  readonly code: ClientErrorCode;
  /** What exactly is wrong, as a clause. */
  readonly detail: string;
  /** Whether the connection is closed after the response. */
  readonly isLast?: true;
}

function bodyError(problem: BodyProblem, maxBytes: number): Rejection {
  return problem === 'too-large'
    ? { code: 'BODY_TOO_LARGE', detail: `the body has more than ${Math.floor(maxBytes / mebibyte)} MiB` }
    : { code: 'OVERLOADED', detail: 'the memory for requests is in use' };
}

const mebibyte = 1024 * 1024;

/** An empty body, followed by the zero byte. */
const emptyBody = Buffer.alloc(1);
/** As text, as bytes, and encrypted. */
const copiesOfResponse = 3;
/** In characters; ASCII except for names of rules and reasons. */
const smallResponse = 16 * 1024;

/** @returns why a review is rejected; null if it is admitted */
function enter(request: FastifyRequest, reply: FastifyReply, options: ReviewRoutesOptions): Rejection | null {
  const { connections, inFlight, needsClientCertificate } = options;
  const connection = connections.of(request.raw.socket);
  if (connection === undefined) return { code: 'REQUEST_INVALID', detail: 'the connection is closed' };
  if (needsClientCertificate && !connection.isTrusted)
    return { code: 'CLIENT_CERTIFICATE_REQUIRED', detail: 'the connection has no accepted client certificate' };
  const entered = new InFlightRequest(connection, (rejection) => {
    if (reply.sent) request.raw.socket.destroy();
    reject(request, reply, options, { ...rejection, isLast: true });
  });
  if (!inFlight.enter(entered)) return { code: 'OVERLOADED', detail: `${inFlight.size} requests are in flight` };
  request.inFlight = entered;
  // Emitted exactly once, also when the client disconnects.
  reply.raw.once('close', () => inFlight.leave(entered));
  return null;
}

function answer(request: FastifyRequest, body: Buffer, review: Reviewer, { logInternalError }: ReviewRoutesOptions): HttpResponse {
  const client = request.inFlight?.connection.client;
  const began = performance.now();
  try {
    return review({ body, encoding: request.headers['content-encoding'], remote: () => request.socket.remoteAddress });
  } catch (error) {
    logInternalError(error);
    return errorResponse('INTERNAL', internalError);
  } finally {
    client?.addBusy(performance.now() - began);
  }
}

function reject(
  request: FastifyRequest,
  reply: FastifyReply,
  { onRejected, respond }: ReviewRoutesOptions,
  { code, detail, isLast }: Rejection,
): void {
  onRejected(request, code, detail);
  if (!reply.sent) respond(reply, errorResponse(code, detail), isLast);
}
