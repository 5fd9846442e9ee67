/** What a command may see of a cluster: it only reads, and what it may not read is kept to be said, and is no error. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { ApiError, describeError, isNotFound, statusOf } from '../cluster/api-error.ts';
import { apiErrorOf, readJson } from '../cluster/api-response.ts';
import type { Cluster, RequestDetails, StreamingResponse } from '../cluster/connection.ts';
import { listPages } from '../cluster/list-pages.ts';
import { OperatorError } from '../errors/operator-error.ts';

export interface Unseen {
  /** In the plural where it is a list: `secrets in namespace shop`. */
  readonly what: string;
  /** The sentence of the API server. */
  readonly why: string;
}

export interface ClusterView {
  /** Of whatever names none. */
  readonly namespace: string;
  /** @returns undefined when it does not exist, null when it may not be read */
  get<T extends object>(path: string, what: string): Promise<T | null | undefined>;
  /** All objects of a small list. @returns null when it may not be read; an empty list for a resource that the cluster does not have */
  list<T extends KubernetesObject>(path: string, what: string, query?: RequestDetails['query']): Promise<readonly T[] | null>;
  /** Page by page, so that a large cluster is never in memory as a whole. Ends where it may not be read: see `isUnseen`. */
  pages<T extends KubernetesObject>(path: string, what: string, query?: RequestDetails['query']): AsyncGenerator<readonly T[]>;
  /** @returns null when it may not be read */
  text(path: string, what: string): Promise<string | null>;
  /** Whether that may not be read; what is the name that was given with the request. */
  isUnseen(what: string): boolean;
  /** In the order in which it was tried, each once. */
  readonly unseen: readonly Unseen[];
}

const pageSize = 500;
/** Milliseconds for each request. */
const timeout = 30_000;

/** Requests reject with OperatorError: CLUSTER_UNREACHABLE without an answer, KUBERNETES_API_ERROR for other errors than 403 and 404. */
export function clusterView(cluster: Cluster): ClusterView {
  const unseen = new Map<string, Unseen>();
  const reached: Cluster = {
    ...cluster,
    request: async (path, options) => {
      try {
        return await cluster.request(path, options);
      } catch (error) {
        throw error instanceof OperatorError ? error : unreachable(error);
      }
    },
  };
  /** @returns `absent` for what does not exist, null for what may not be read */
  const seen = async <T, A>(what: string, read: () => Promise<T>, absent: A): Promise<T | A | null> => {
    try {
      return await read();
    } catch (error) {
      if (isNotFound(error)) return absent;
      if (statusOf(error) !== 403) throw error;
      unseen.set(what, { what, why: describeError(error) });
      return null;
    }
  };
  const request = (path: string): Promise<StreamingResponse> => reached.request(path, { signal: AbortSignal.timeout(timeout) });

  async function* pages<T extends KubernetesObject>(path: string, query: RequestDetails['query'] = {}): AsyncGenerator<readonly T[]> {
    const found = { path, query: stringsOf(query), pageSize, signal: AbortSignal.timeout(20 * timeout), onActivity: () => {} };
    for await (const page of listPages<T>(reached, found)) yield page.items;
  }

  return {
    namespace: cluster.namespace,
    get: <T extends object>(path: string, what: string) =>
      // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server validated it
      seen(what, async () => (await readJson(`GET ${path}`, await request(path))) as T, undefined),
    list: <T extends KubernetesObject>(path: string, what: string, query?: RequestDetails['query']) =>
      seen<readonly T[], readonly T[]>(what, async () => collected(pages<T>(path, query)), []),
    pages: async function* <T extends KubernetesObject>(path: string, what: string, query?: RequestDetails['query']) {
      const source = pages<T>(path, query);
      for (;;) {
        const next = await seen(what, () => source.next(), null);
        if (next === null || next.done === true) return;
        yield next.value;
      }
    },
    text: (path, what) =>
      seen(
        what,
        async () => {
          const response = await request(path);
          if (response.status !== 200) throw await apiErrorOf(`GET ${path}`, response);
          return await textOf(response.body);
        },
        null,
      ),
    isUnseen: (what) => unseen.has(what),
    get unseen() {
      return [...unseen.values()];
    },
  };
}

async function collected<T>(pages: AsyncIterable<readonly T[]>): Promise<readonly T[]> {
  const all: T[] = [];
  for await (const page of pages) all.push(...page);
  return all;
}

async function textOf(body: AsyncIterable<Uint8Array>): Promise<string> {
  const chunks: Uint8Array[] = [];
  for await (const chunk of body) chunks.push(chunk);
  return Buffer.concat(chunks).toString('utf8');
}

function stringsOf(query: NonNullable<RequestDetails['query']>): Record<string, string | undefined> {
  return Object.fromEntries(Object.entries(query).map(([name, value]) => [name, value === undefined ? undefined : String(value)]));
}

function unreachable(error: unknown): OperatorError {
  if (error instanceof ApiError) return error;
  return new OperatorError('CLUSTER_UNREACHABLE', `the API server does not answer: ${describeError(error)}`, undefined, { cause: error });
}
