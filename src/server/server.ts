/** The HTTPS server: routes, limits and timeouts. HTTP/1.1 only, since the API server uses nothing else for webhooks. */
import Fastify, { type FastifyInstance, type FastifyReply, type FastifyRequest } from 'fastify';
import type { Server } from 'node:https';
import type { Logger } from 'pino';
import type { Mode } from '../admission/admit.ts';
import type { Readiness } from '../observe/metrics-server.ts';
import type { KeyPair } from '../tls/pair.ts';
import { ByteBudget } from './byte-budget.ts';
import { answerClientError } from './client-error.ts';
import { Connections } from './connections.ts';
import { errorResponse, internalError, type HttpResponse } from './errors.ts';
import { InFlightRequests } from './in-flight.ts';
import { noSchemas } from './no-schemas.ts';
import type { OverloadLimits } from './overload.ts';
import { RejectionLog } from './rejection-log.ts';
import { addReviewRoutes } from './review-routes.ts';
import { createReviewer, type ReviewerOptions } from './reviewer.ts';
import { tlsOptions } from './tls-options.ts';

/** All in milliseconds. */
export interface Timeouts {
  /** Idle time of a connection between two requests. */
  readonly keepAlive: number;
  /** From the first byte of a request, or the start of a connection, to the end of its headers. */
  readonly headers: number;
  /** From there to the last byte of the body, and again until the client has read the response. */
  readonly request: number;
  /** From the start of a connection to the end of its TLS handshake. */
  readonly handshake: number;
  /** Interval of the check of connections. */
  readonly check: number;
}

/**
 * The API server's client keeps idle connections for 90 s (Go's net/http default), including spare ones that it never used. A server that
 * closed first would make the next call fail. So even slow headers have that long. A body has the maximum `timeoutSeconds` of a webhook,
 * 30.
 */
export const defaultTimeouts: Timeouts = { keepAlive: 120_000, headers: 125_000, request: 30_000, handshake: 30_000, check: 15_000 };

export interface ServerOptions extends ReviewerOptions {
  readonly pair: KeyPair;
  /** PEM of the CA that must have signed the client certificates for /mutate and /shadow; null for no check. */
  readonly clientCa: string | null;
  readonly overload: OverloadLimits;
  readonly timeouts: Timeouts;
}

type WebhookInstance = FastifyInstance<Server>;

export interface WebhookServer {
  readonly app: WebhookInstance;
  /** From the next handshake on; open connections are kept. */
  readonly useKeyPair: (pair: KeyPair) => void;
  /** Likewise for the client CA. Only if there was one. */
  readonly useClientCa: (pem: string) => void;
  /** Turns /readyz to 503, and asks every client to close its connection after the next response. */
  readonly startDraining: () => void;
  readonly readiness: () => Readiness;
  readonly connections: Connections;
}

const modes: readonly (readonly [path: string, mode: Mode])[] = [
  ['/mutate', 'enforce'],
  ['/shadow', 'shadow'],
];

export function createServer(options: ServerOptions): WebhookServer {
  const { timeouts, metrics, overload } = options;
  let { pair, clientCa } = options;
  let isDraining = false;
  const inFlight = new InFlightRequests(new ByteBudget(overload.maxRequestMemory), {
    maxInFlight: overload.maxInFlight,
    requestTimeout: timeouts.request,
    checkInterval: timeouts.check,
  });
  const respond: Respond = (reply, { status, contentType, body }, isLast = isDraining) => {
    if (status === 503) reply.header('retry-after', 1);
    if (isLast) reply.header('connection', 'close');
    reply.code(status).header('content-type', contentType).send(body);
  };
  const app: WebhookInstance = Fastify<Server>({
    https: {
      ...tlsOptions(pair, clientCa),
      handshakeTimeout: timeouts.handshake,
      headersTimeout: timeouts.headers,
      connectionsCheckingInterval: timeouts.check,
    },
    keepAliveTimeout: timeouts.keepAlive,
    // Starts at the first byte of the headers, `timeouts.request` at their last one.
    requestTimeout: timeouts.headers + timeouts.request,
    logger: false,
    schemaController: noSchemas,
    clientErrorHandler: answerClientError,
    // A request on an open connection while closing is answered, so that no call fails.
    return503OnClosing: false,
    frameworkErrors: (error, _request, reply) => respond(reply, errorResponse('REQUEST_INVALID', error.message)),
  });
  const connections = new Connections(app.server, overload.maxConnections, () => metrics.transport.connectionsEvicted.inc());
  metrics.transport.observe({
    connections: () => connections.size,
    requestBytes: () => inFlight.budget.used,
    maxRequestBytes: () => inFlight.budget.limit,
  });
  const readiness = (): Readiness => ({ ready: !isDraining, lines: [isDraining ? 'draining' : 'ok'] });
  const context: Context = { ...options, respond, readiness, connections, inFlight };
  addErrorHandlers(app, context);
  addReviews(app, context);
  addProbes(app, context);
  app.addHook('onClose', () => inFlight.close());
  return {
    app,
    connections,
    readiness,
    useKeyPair: (next) => {
      app.server.setSecureContext(tlsOptions(next, clientCa));
      pair = next;
    },
    useClientCa: (next) => {
      app.server.setSecureContext(tlsOptions(pair, next));
      clientCa = next;
    },
    startDraining: () => {
      isDraining = true;
    },
  };
}

type Respond = (reply: FastifyReply, response: HttpResponse, isLast?: boolean) => void;

interface Context extends ServerOptions {
  readonly respond: Respond;
  readonly readiness: () => Readiness;
  readonly connections: Connections;
  readonly inFlight: InFlightRequests;
}

function addReviews(app: WebhookInstance, context: Context): void {
  const { metrics, log, respond, connections, inFlight, clientCa } = context;
  const rejections = new RejectionLog(log);
  const reviewers = new Map(modes.map(([path, mode]) => [path, createReviewer(context, mode)]));
  const counters = new Map(
    modes.map(([path, mode]) => [
      path,
      { overloaded: metrics.reviews({ mode, result: 'overloaded' }), rejected: metrics.reviews({ mode, result: 'rejected' }) },
    ]),
  );
  void app.register((own: WebhookInstance, _options, done) => {
    addReviewRoutes(own, {
      reviewers,
      connections,
      inFlight,
      needsClientCertificate: clientCa !== null,
      respond,
      onRejected: ({ routeOptions, socket }: FastifyRequest, code, detail) => {
        counters.get(routeOptions.url ?? '')?.[code === 'OVERLOADED' ? 'overloaded' : 'rejected'].inc();
        metrics.transport.rejections.inc({ code });
        rejections.write(code, detail, socket.remoteAddress);
      },
      logInternalError: (error) => logInternalError(error, log),
    });
    done();
  });
}

function addProbes(app: WebhookInstance, { readiness, respond, metrics }: Context): void {
  // No other route reads a body; it is discarded.
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('*', (_request, _payload, done) => done(null));
  app.get('/healthz', (_request, reply) => respond(reply, { status: 200, contentType: 'text/plain', body: 'ok\n' }));
  app.get('/readyz', (_request, reply) => {
    const { ready, lines } = readiness();
    const status = ready ? 200 : 503;
    metrics.transport.readinessProbes.inc({ code: String(status) });
    respond(reply, { status, contentType: 'text/plain', body: `${lines.join('\n')}\n` });
  });
}

function addErrorHandlers(app: WebhookInstance, { respond, log }: Context): void {
  app.setNotFoundHandler(({ method, url }, reply) =>
    respond(reply, errorResponse('NOT_FOUND', `there is no ${method} ${url.slice(0, 200)}`)),
  );
  app.setErrorHandler((error, _request, reply) => {
    const detail = error instanceof Error ? error.message : String(error);
    const status = error instanceof Error && 'statusCode' in error ? error.statusCode : undefined;
    if (typeof status === 'number' && status < 500) return respond(reply, errorResponse('REQUEST_INVALID', detail));
    logInternalError(error, log);
    return respond(reply, errorResponse('INTERNAL', internalError));
  });
}

function logInternalError(error: unknown, log: Logger): void {
  try {
    log.error({ err: error }, 'a request failed');
  } catch {
    // If the log itself failed, there is nothing left to report to.
  }
}
