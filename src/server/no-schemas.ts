/** For a fastify without schemas on its routes: avoids loading two schema compilers at every start. */
import type { FastifyServerOptions } from 'fastify';

function compiler(): never {
  throw new Error('a route has a schema, and no compiler for schemas is loaded');
}

export const noSchemas = {
  compilersFactory: { buildValidator: compiler, buildSerializer: compiler },
} satisfies FastifyServerOptions['schemaController'];
