/**
 * The requests of the API server, from their first byte to the last one of the answer. They are taken before fastify routes a request:
 * its request, reply and hooks would cost a review more than the decision does (docs/design/request-path.md).
 */
import type { IncomingMessage, RequestListener, ServerResponse } from 'node:http';
import { TLSSocket } from 'node:tls';
import type { BufferedCounter } from '../observe/buffered-metrics.ts';
import { faultOfOurs, refusal, type Answer } from './errors.ts';
import type { Reviewer } from './reviewer.ts';
import type { OverloadGuard } from './overload.ts';

/** Bytes. A review carries object and oldObject, each up to etcd's 1.5 MiB and larger as JSON. */
export const bodyLimit = 8 * 1024 * 1024;

export interface ReviewRoute {
  readonly review: Reviewer;
  /** Requests turned away by the guard. */
  readonly overloaded: BufferedCounter;
}

export interface ListenerOptions {
  /** By path. */
  readonly routes: ReadonlyMap<string, ReviewRoute>;
  readonly guard: OverloadGuard;
  /** Whether callers must have presented a certificate that the client CA signed. */
  readonly needsClientCertificate: boolean;
  readonly isDraining: () => boolean;
  /** Of something that should not have been thrown; must not throw itself. */
  readonly tellFault: (error: unknown) => void;
}

/** @param next what takes every other request */
export function reviewListener(options: ListenerOptions, next: RequestListener): RequestListener {
  const { routes, guard, isDraining } = options;
  const leave = (): void => guard.leave();
  return (request, reply) => {
    const route = request.method === 'POST' ? routes.get(pathOf(request.url)) : undefined;
    if (route === undefined) return next(request, reply);
    const early = refuseEarly(request, route, options);
    if (early !== null) return send(reply, early, isDraining());
    guard.enter();
    // `close` comes exactly once, also when the client goes away in the middle.
    reply.on('close', leave);
    readBytes(request, (body) => {
      if (body === null) send(reply, refusal('BODY_TOO_LARGE', 'the body is too large'), true);
      else send(reply, answerTo(request, body, route, options), isDraining());
    });
  };
}

function answerTo(request: IncomingMessage, body: Buffer, { review }: ReviewRoute, { tellFault }: ListenerOptions): Answer {
  try {
    return review({ body, encoding: request.headers['content-encoding'], remote: () => request.socket.remoteAddress });
  } catch (error) {
    tellFault(error);
    return refusal('INTERNAL', faultOfOurs);
  }
}

/** The API server appends its time-out: `/mutate?timeout=5s`. */
function pathOf(url = ''): string {
  const end = url.indexOf('?');
  return end === -1 ? url : url.slice(0, end);
}

function refuseEarly(
  { socket }: IncomingMessage,
  { overloaded }: ReviewRoute,
  { guard, needsClientCertificate }: ListenerOptions,
): Answer | null {
  const overload = guard.reason();
  if (overload !== null) {
    overloaded.inc();
    return refusal('OVERLOADED', overload);
  }
  const isAccepted = !needsClientCertificate || (socket instanceof TLSSocket && socket.authorized);
  return isAccepted ? null : refusal('CLIENT_CERTIFICATE_REQUIRED', 'the connection has no accepted client certificate');
}

/** The body with one byte behind it that is 0; null when it is above the limit. Says nothing when the client goes away before. */
function readBytes(request: IncomingMessage, done: (body: Buffer | null) => void): void {
  if (Number(request.headers['content-length'] ?? 0) > bodyLimit) return done(null);
  const chunks: Buffer[] = [];
  let length = 0;
  const onData = (chunk: Buffer): void => {
    chunks.push(chunk);
    length += chunk.length;
    if (length <= bodyLimit) return;
    request.off('data', onData).off('end', onEnd);
    done(null);
  };
  const onEnd = (): void => done(assembled(chunks, length));
  request.on('data', onData).on('end', onEnd);
}

/** Where bodies of common size are put together. One is answered before the next one is looked at, so there need not be more. */
const shared = Buffer.alloc(128 * 1024);

/** All chunks and the 0 behind them. Good until the next call. */
function assembled(chunks: readonly Buffer[], length: number): Buffer {
  const body = length < shared.length ? shared.subarray(0, length + 1) : Buffer.allocUnsafe(length + 1);
  let at = 0;
  for (const chunk of chunks) {
    body.set(chunk, at);
    at += chunk.length;
  }
  body[length] = 0;
  return body;
}

function send(reply: ServerResponse, { status, contentType, body }: Answer, isLast: boolean): void {
  const headers: Record<string, string | number> = { 'content-type': contentType, 'content-length': Buffer.byteLength(body) };
  if (status === 503) headers['retry-after'] = 1;
  if (isLast) headers['connection'] = 'close';
  reply.writeHead(status, headers).end(body);
}
