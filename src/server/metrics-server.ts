/** `/metrics` on a port of its own: scraping needs no certificate, and a network policy can tell the two apart. */
import Fastify, { type FastifyInstance } from 'fastify';
import type { Registry } from 'prom-client';
import { noSchemas } from './no-schemas.ts';

export function createMetricsServer(registry: Registry): FastifyInstance {
  const app = Fastify({ logger: false, schemaController: noSchemas });
  app.get('/metrics', async (_request, reply) => reply.type(registry.contentType).send(await registry.metrics()));
  app.setNotFoundHandler((_request, reply) => reply.code(404).type('text/plain').send('GET /metrics\n'));
  return app;
}
