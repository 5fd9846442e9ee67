/** `/healthz`, `/readyz` and `/metrics` of the controller, plain HTTP on one port: nothing there is secret, and no pod calls it. */
import type { FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';

import { createMetricsServer } from '../server/metrics-server.ts';

/** One line a part: what it is called, and how it is. */
export interface Readiness {
  readonly ready: boolean;
  readonly lines: readonly string[];
}

export function createHealthServer(registry: Registry, readiness: () => Readiness): FastifyInstance {
  const app = createMetricsServer(registry);
  app.get('/healthz', async (_request, reply) => reply.type('text/plain').send('ok\n'));
  app.get('/readyz', async (_request, reply) => {
    const { ready, lines } = readiness();
    return reply.code(ready ? 200 : 503).type('text/plain').send(`${lines.join('\n')}\n`);
  });
  return app;
}
