/** A view of planted objects: what the API server has, has not, or does not let be read. */
import type { Cluster } from '../../src/cluster/connection.ts';
import { clusterView, type ClusterView } from '../../src/inspect/view.ts';

export const forbidden = Symbol('forbidden');
export type Objects = Readonly<Record<string, object | typeof forbidden>>;

/** Answers a path with its object or list, 403 or 404; requests are never sent. */
function clusterOf(objects: Objects): Cluster {
  const answer = (path: string): readonly [status: number, body: object] => {
    const found = objects[path];
    if (found === forbidden) return [403, { kind: 'Status', message: `no right to ${path}`, reason: 'Forbidden' }];
    if (found === undefined) return [404, { kind: 'Status', reason: 'NotFound' }];
    return [200, Array.isArray(found) ? { kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1' }, items: found } : found];
  };
  return {
    namespace: 'default',
    request: async (path) => {
      const [status, body] = answer(path);
      const text = Buffer.from(JSON.stringify(body));
      return {
        status,
        retryAfter: null,
        date: null,
        body: (async function* () {
          yield text;
        })(),
        json: async () => body,
      };
    },
    close: async () => {},
  };
}

export const viewOf = (objects: Objects): ClusterView => clusterView(clusterOf(objects));
