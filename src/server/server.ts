/** The HTTPS server: routes, limits and time-outs. HTTP/1.1 only, since the API server offers nothing else to webhooks. */
import Fastify, { type FastifyInstance, type FastifyReply } from 'fastify';
import { createServer as createHttpsServer, type Server, type ServerOptions as HttpsServerOptions } from 'node:https';
import type { Logger } from 'pino';
import type { Mode } from '../admission/admit.ts';
import type { Readiness } from '../observe/metrics-server.ts';
import type { KeyPair } from '../tls/pair.ts';
import { answerClientError } from './client-error.ts';
import { trackConnections, type Connections } from './connections.ts';
import { faultOfOurs, refuse } from './errors.ts';
import { createReviewer, type ReviewerOptions } from './reviewer.ts';
import { noSchemas } from './no-schemas.ts';
import { OverloadGuard, type OverloadLimits } from './overload.ts';
import { reviewListener, type ReviewRoute } from './review-route.ts';

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

/**
 * TLS 1.2 with forward secrecy and authenticated encryption only, as in https://wiki.mozilla.org/Security/Server_Side_TLS (intermediate);
 * Node's own list has CBC in it. Each one is known to Go, in which API server and kubelet are written. TLS 1.3 has no others.
 */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface ServerOptions extends ReviewerOptions {
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
  /** The same for the PEM of another client CA. Only where there was one. */
  readonly useClientCa: (pem: string) => void;
  /** Turns /readyz to 503 and asks every client to close its connection after the next answer. */
  readonly startDraining: () => void;
  readonly readiness: () => Readiness;
  readonly connections: Connections;
}

export function createServer(options: ServerOptions): WebhookServer {
  const { timeouts, metrics } = options;
  let { pair, clientCa } = options;
  const guard = new OverloadGuard(options.overload);
  let isDraining = false;
  const route = (mode: Mode): ReviewRoute => ({
    review: createReviewer(options, mode),
    overloaded: metrics.reviews({ mode, result: 'overloaded' }),
  });
  const routes = new Map([
    ['/mutate', route('enforce')],
    ['/shadow', route('shadow')],
  ]);
  const app: WebhookInstance = Fastify({
    serverFactory: (next) =>
      createHttpsServer(
        { ...tlsOptions(pair, clientCa), ...timeoutOptions(timeouts) },
        reviewListener(
          {
            routes,
            guard,
            needsClientCertificate: options.clientCa !== null,
            isDraining: () => isDraining,
            tellFault: (error) => tellFault(error, options.log),
          },
          next,
        ),
      ),
    logger: false,
    schemaController: noSchemas,
    clientErrorHandler: answerClientError,
    // A request that arrives on an open connection while closing is answered and not turned into a failed call.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => refuse(reply, 'REQUEST_INVALID', error.message),
  });
  const readiness = (): Readiness => ({ ready: !isDraining, lines: [isDraining ? 'draining' : 'ok'] });
  addRoutes(app, options, readiness);
  app.addHook('onClose', () => guard.close());
  return {
    app,
    connections: trackConnections(app.server),
    useKeyPair: (next) => {
      app.server.setSecureContext(tlsOptions(next, clientCa));
      pair = next;
    },
    useClientCa: (next) => {
      app.server.setSecureContext(tlsOptions(pair, next));
      clientCa = next;
    },
    readiness,
    startDraining: () => {
      isDraining = true;
    },
  };
}

/** What is not a review: probes, and what nobody should ask. */
function addRoutes(app: WebhookInstance, options: ServerOptions, readiness: () => Readiness): void {
  // No route of fastify's reads a body; whatever comes with a request is thrown away.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.addHook('onSend', (_request, reply, _payload, done) => {
    if (!readiness().ready) reply.header('connection', 'close');
    done();
  });
  app.get('/healthz', (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', (_request, reply) => {
    const { ready, lines } = readiness();
    return reply
      .code(ready ? 200 : 503)
      .type('text/plain')
      .send(`${lines.join('\n')}\n`);
  });
  app.setNotFoundHandler((request, reply) => refuse(reply, 'NOT_FOUND', `there is no ${request.method} ${request.url.slice(0, 200)}`));
  app.setErrorHandler((error, _request, reply) => handleError(error, reply, options));
}

function timeoutOptions(timeouts: Timeouts): HttpsServerOptions {
  return {
    handshakeTimeout: timeouts.handshake,
    headersTimeout: timeouts.headers,
    requestTimeout: timeouts.request,
    keepAliveTimeout: timeouts.keepAlive,
    connectionsCheckingInterval: timeouts.check,
  };
}

function tlsOptions(
  { cert, key }: KeyPair,
  clientCa: string | null,
): { cert: string; key: string; minVersion: 'TLSv1.2'; ciphers: string; ALPNProtocols: string[] } {
  // Probes of the kubelet come without a certificate, so an unauthorized connection is not refused here but at the routes.
  const client = clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
  return { cert, key, minVersion: 'TLSv1.2', ciphers, ALPNProtocols: ['http/1.1'], ...client };
}

function handleError(error: unknown, reply: FastifyReply, { log }: ServerOptions): FastifyReply {
  const detail = error instanceof Error ? error.message : String(error);
  const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
  if (typeof status === 'number' && status < 500) return refuse(reply, 'REQUEST_INVALID', detail);
  tellFault(error, log);
  return refuse(reply, 'INTERNAL', faultOfOurs);
}

function tellFault(error: unknown, log: Logger): void {
  try {
    log.error({ err: error }, 'a request failed');
  } catch {
    // The log itself may be what failed, and then there is nobody left to tell.
  }
}
