/** Compilers of schemas are left out of the bundle, so a route that needs one must say so at the start. */
import Fastify from 'fastify';
import t from 'tap';
import { noSchemas } from '../../src/server/no-schemas.ts';

t.test('a route with a schema is refused before the server listens', async (tt) => {
  const app = Fastify({ logger: false, schemaController: noSchemas });
  tt.teardown(() => app.close());
  app.get('/', { schema: { querystring: { type: 'object' } } }, () => 'ok');
  await tt.rejects(async () => app.ready(), { message: /a route has a schema/ });
});
