/** `/metrics`, `/healthz` and `/readyz` over plain HTTP on a separate port, for `serve` and the controller. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { printable } from '../text/printable.ts';

export interface Readiness {
  readonly ready: boolean;
  /** One per component: its name and its state. */
  readonly lines: readonly string[];
}

export interface MetricsServer {
  readonly port: number;
  /** Stops listening. Resolves after the last response. */
  readonly close: () => Promise<void>;
  /** Closes every connection. */
  readonly destroy: () => void;
}

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
}

/** Prometheus keeps one connection per target; more than this are other clients. */
const maxConnections = 64;

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const plain = (status: number, text: string): Page => ({ status, type: 'text/plain; charset=utf-8', text: `${text}\n` });

/**
 * Uses node:http: fastify would be a tenth of the controller's memory, for three pages.
 *
 * @throws Node's error when the port is not available
 */
export async function startMetricsServer(
  registry: Registry,
  readiness: () => Readiness,
  { host, port }: MetricsServerOptions,
): Promise<MetricsServer> {
  const pages: Readonly<Record<string, () => Promise<Page>>> = {
    '/healthz': async () => plain(200, 'ok'),
    '/readyz': async () => {
      const { ready, lines } = readiness();
      return plain(ready ? 200 : 503, lines.map(printable).join('\n'));
    },
    '/metrics': async () => ({ status: 200, type: registry.contentType, text: await registry.metrics() }),
  };
  // Not imported statically: an import of node:http loads all its exports, and with them Node's fetch, a tenth of the startup time.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, response) => {
    // No body is expected; unread, it would keep the connection busy.
    request.resume();
    const path = request.url?.split('?', 1)[0] ?? '';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined || request.method !== 'GET') return respond(response, plain(404, `GET ${Object.keys(pages).join(', ')}`));
    page().then(
      (made) => respond(response, made),
      () => respond(response, plain(500, 'internal error')),
    );
  });
  server.maxConnections = maxConnections;
  // A client that does not read the page would otherwise keep its connection for ever.
  server.setTimeout(timeout);
  server.listen({ host, port });
  await once(server, 'listening');
  return {
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
    port: (server.address() as AddressInfo).port,
    close: async () => {
      server.close();
      server.closeIdleConnections();
      await once(server, 'close');
    },
    destroy: () => server.closeAllConnections(),
  };
}

/**
 * Milliseconds without a byte in either direction. Longer than Prometheus' longest usual scrape interval, so that its connection is kept.
 */
const timeout = 130_000;

function respond(response: ServerResponse, { status, type, text }: Page): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}
