/** `/metrics`, `/healthz` and `/readyz` over plain HTTP on a port of their own, for `serve` and the controller. */
import { once } from 'node:events';
import type { ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import type { Registry } from 'prom-client';
import { printable } from '../text/printable.ts';

export interface Readiness {
  readonly ready: boolean;
  /** One for each component: its name and its state. */
  readonly lines: readonly string[];
}

export interface MetricsServer {
  readonly port: number;
  /** Stops listening; resolves when the last request is answered. */
  readonly close: () => Promise<void>;
  /** Closes every connection. */
  readonly destroy: () => void;
}

export interface MetricsServerOptions {
  readonly host: string;
  /** 0 takes any free port. */
  readonly port: number;
}

/** Prometheus keeps one connection for each target; more than this is somebody else. */
const maxConnections = 64;

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const plain = (status: number, text: string): Page => ({ status, type: 'text/plain; charset=utf-8', text: `${text}\n` });

/**
 * On node:http: the webhook's server library would be a tenth of the controller's memory, for three pages.
 *
 * @throws the error of a port that cannot be listened on
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
  // Not imported: an import of node:http reads all its exports, and some of them load Node's own fetch, a tenth of the time to start.
  const { createServer } = process.getBuiltinModule('node:http');
  const server = createServer((request, response) => {
    // A body is not expected; unread, it would keep the connection busy.
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
  // A client that does not read the page would keep its connection for ever.
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

/** Milliseconds without a byte either way. Longer than Prometheus' longest usual interval, so that its connection stays. */
const timeout = 130_000;

function respond(response: ServerResponse, { status, type, text }: Page): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}
