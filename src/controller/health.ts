/** `/healthz`, `/readyz` and `/metrics` of the controller, plain HTTP on one port: nothing there is secret, and no pod calls it. */
import { createServer, type Server, type ServerResponse } from 'node:http';

import type { Registry } from 'prom-client';

/** One line a part: what it is called, and how it is. */
export interface Readiness {
  readonly ready: boolean;
  readonly lines: readonly string[];
}

interface Page {
  readonly status: number;
  readonly type: string;
  readonly text: string;
}

const plain = (status: number, text: string): Page => ({ status, type: 'text/plain; charset=utf-8', text: `${text}\n` });

/** Of Node alone: for three pages, the webhook's server library would be a tenth of the controller's memory. */
export function createHealthServer(registry: Registry, readiness: () => Readiness): Server {
  const pages: Readonly<Record<string, () => Promise<Page>>> = {
    '/healthz': async () => plain(200, 'ok'),
    '/readyz': async () => {
      const { ready, lines } = readiness();
      return plain(ready ? 200 : 503, lines.join('\n'));
    },
    '/metrics': async () => ({ status: 200, type: registry.contentType, text: await registry.metrics() }),
  };
  return createServer((request, response) => {
    // A body is not asked for; unread, it would keep the connection busy.
    request.resume();
    const path = request.url?.split('?', 1)[0] ?? '';
    const page = Object.hasOwn(pages, path) ? pages[path] : undefined;
    if (page === undefined || request.method !== 'GET') return answer(response, plain(404, `GET ${Object.keys(pages).join(', ')}`));
    page().then(
      (made) => answer(response, made),
      () => answer(response, plain(500, 'the page could not be made')),
    );
  });
}

function answer(response: ServerResponse, { status, type, text }: Page): void {
  response.writeHead(status, { 'content-type': type, 'content-length': Buffer.byteLength(text) }).end(text);
}
