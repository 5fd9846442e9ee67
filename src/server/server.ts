/** The HTTPS server: routes, limits and time-outs. HTTP/1.1 only, since the API server offers nothing else to webhooks. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Server } from 'node:https';
import { TLSSocket } from 'node:tls';
import type { KeyPair } from '../tls/pair.ts';
import { answerClientError } from './client-error.ts';
import { trackConnections, type Connections } from './connections.ts';
import { refuse } from './errors.ts';
import { mutateHandler, type MutateOptions } from './mutate.ts';
import { OverloadGuard, type OverloadLimits } from './overload.ts';

/** All in milliseconds. */
export interface Timeouts {
  /** For which a connection may be idle between two requests. */
  readonly keepAlive: number;
  /** From the first byte of a request, or from a connection's beginning, to the end of its headers. */
  readonly headers: number;
  /** From there to the last byte of the body. */
  readonly request: number;
  /** From a connection's beginning to the end of its TLS handshake. */
  readonly handshake: number;
  /** Between two looks at the connections. */
  readonly check: number;
}

/**
 * The API server's client keeps idle connections for 90 s (Go's net/http default), those that it opened to spare and never used
 * among them. A server that closed first would turn the next call into a failed one. So even slow headers have that long.
 */
export const defaultTimeouts: Timeouts = { keepAlive: 120_000, headers: 125_000, request: 130_000, handshake: 30_000, check: 15_000 };
/** A review carries object and oldObject, each up to etcd's 1.5 MiB and larger as JSON. */
export const bodyLimit = 8 * 1024 * 1024;

/**
 * TLS 1.2 with forward secrecy and authenticated encryption only, as in https://wiki.mozilla.org/Security/Server_Side_TLS (intermediate);
 * Node's own list has CBC in it. Each one is known to Go, in which API server and kubelet are written. TLS 1.3 has no others.
 */
const ciphers = ['ECDHE-ECDSA-AES128-GCM-SHA256', 'ECDHE-RSA-AES128-GCM-SHA256', 'ECDHE-ECDSA-AES256-GCM-SHA384', 'ECDHE-RSA-AES256-GCM-SHA384', 'ECDHE-ECDSA-CHACHA20-POLY1305', 'ECDHE-RSA-CHACHA20-POLY1305'].join(':');

export interface ServerOptions extends MutateOptions {
  readonly pair: KeyPair;
  /** PEM of the CA whose certificates callers of /mutate and /shadow must present; null for no such check. */
  readonly clientCa: string | null;
  readonly overload: OverloadLimits;
  readonly timeouts: Timeouts;
}

type WebhookInstance = FastifyInstance<Server>;

export interface WebhookServer {
  readonly app: WebhookInstance;
  /** From the next handshake on; open connections stay. */
  readonly useKeyPair: (pair: KeyPair) => void;
  /** Turns /readyz to 503 and asks every client to close its connection after the next answer. */
  readonly startDraining: () => void;
  readonly connections: Connections;
}

export function createServer(options: ServerOptions): WebhookServer {
  const { timeouts } = options;
  const tls = tlsOptions(options);
  const app: WebhookInstance = Fastify({
    https: { ...tls(options.pair), handshakeTimeout: timeouts.handshake, headersTimeout: timeouts.headers, connectionsCheckingInterval: timeouts.check },
    logger: false,
    bodyLimit,
    keepAliveTimeout: timeouts.keepAlive,
    requestTimeout: timeouts.request,
    clientErrorHandler: answerClientError,
    // A request that arrives on an open connection while closing is answered and not turned into a failed call.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => refuse(reply, 'REQUEST_INVALID', error.message),
  });
  let isDraining = false;
  readWholeBodies(app);
  const guard = new OverloadGuard(options.overload);
  app.addHook('onClose', () => guard.close());
  // With a callback: a promise would cost every answer a turn of the microtask queue.
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (isDraining) reply.header('connection', 'close');
    done();
  });
  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', (_request, reply) => reply.code(isDraining ? 503 : 200).type('text/plain').send(isDraining ? 'draining\n' : 'ok\n'));
  addReviewRoutes(app, options, guard);
  app.setNotFoundHandler((request, reply) => refuse(reply, 'NOT_FOUND', `there is no ${request.method} ${request.url.slice(0, 200)}`));
  app.setErrorHandler((error, _request, reply) => handleError(error, reply, options));
  return {
    app,
    connections: trackConnections(app.server),
    useKeyPair: (pair) => app.server.setSecureContext(tls(pair)),
    startDraining: () => {
      isDraining = true;
    },
  };
}

function tlsOptions({ clientCa }: ServerOptions): (pair: KeyPair) => { cert: string; key: string; minVersion: 'TLSv1.2'; ciphers: string; ALPNProtocols: string[] } {
  // Probes of the kubelet come without a certificate, so an unauthorized connection is not refused here but at the routes.
  const client = clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
  return ({ cert, key }) => ({ cert, key, minVersion: 'TLSv1.2', ciphers, ALPNProtocols: ['http/1.1'], ...client });
}

/** Any content type is taken for JSON and kept as bytes: what is not JSON gets a sentence instead of a bare 415. */
function readWholeBodies(app: WebhookInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', { parseAs: 'buffer' }, (_request, body, done) => done(null, body));
}

function addReviewRoutes(app: WebhookInstance, options: ServerOptions, guard: OverloadGuard): void {
  const onRequest = (request: FastifyRequest, reply: FastifyReply, done: () => void): void => {
    const overload = guard.reason();
    if (overload !== null) {
      options.metrics.reviews.inc({ mode: request.url.startsWith('/shadow') ? 'shadow' : 'enforce', result: 'overloaded' });
      refuse(reply.header('retry-after', '1'), 'OVERLOADED', overload);
      return;
    }
    if (options.clientCa !== null && !isAuthorized(request.raw.socket)) {
      refuse(reply, 'CLIENT_CERTIFICATE_REQUIRED', 'the connection has no accepted client certificate');
      return;
    }
    guard.enter();
    // `close` comes exactly once, also when the client goes away in the middle.
    reply.raw.once('close', () => guard.leave());
    done();
  };
  app.post('/mutate', { onRequest }, mutateHandler(options, 'enforce'));
  app.post('/shadow', { onRequest }, mutateHandler(options, 'shadow'));
}

function isAuthorized(socket: unknown): boolean {
  return socket instanceof TLSSocket && socket.authorized;
}

function handleError(error: unknown, reply: FastifyReply, { log }: ServerOptions): FastifyReply {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  const detail = error instanceof Error ? error.message : String(error);
  if (code === 'FST_ERR_CTP_BODY_TOO_LARGE') return refuse(reply.header('connection', 'close'), 'BODY_TOO_LARGE', 'the body is too large');
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status === 'number' && status < 500) return refuse(reply, 'REQUEST_INVALID', detail);
  log.error({ err: error }, 'a request failed');
  return refuse(reply, 'INTERNAL', 'the request failed for a reason that is no fault of its own');
}
