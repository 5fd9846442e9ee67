/** What a command may see of a cluster: it only reads (a dry run is the one exception), and what it may not read is kept to be said, and is no error. */
import type { KubernetesObject } from '@kubernetes/client-node';
import { describeError, errorCode, isNotFound, statusOf } from '../cluster/api-error.ts';
import { apiErrorOf, readJson } from '../cluster/api-response.ts';
import type { Cluster, RequestDetails } from '../cluster/connection.ts';
import { listPages } from '../cluster/list-pages.ts';
import { OperatorError } from '../errors/operator-error.ts';
import { text } from '../pod/json.ts';

export interface Unseen {
  /** In the plural where it is a list: `secrets in namespace shop`. */
  readonly what: string;
  /** The sentence of the API server. */
  readonly why: string;
}

/** The clock of the API server, as this machine sees it in the header `Date`. */
export interface ServerClock {
  /** Milliseconds ahead of this machine's; negative: behind. */
  readonly ahead: number;
  /** Milliseconds that `ahead` may be wrong, either way: half of the request's time, and the header's whole seconds. */
  readonly uncertainty: number;
}

export type DryRun<T> =
  | { readonly created: T }
  /** `message` is the API server's own sentence, about the object that was sent. */
  | { readonly status: number; readonly message: string };

export interface ClusterView {
  /** Of whatever names none. */
  readonly namespace: string;
  /** @returns undefined when it does not exist, null when it may not be read */
  get<T extends object>(path: string, what: string): Promise<T | null | undefined>;
  /** All objects of a small list. @returns null when it may not be read; an empty list for a resource that the cluster does not have */
  list<T extends KubernetesObject>(path: string, what: string, query?: RequestDetails['query']): Promise<readonly T[] | null>;
  /** Page by page (`limit` of the query: objects of one), so that a large cluster is never in memory as a whole. Ends where it may not be read: see `isUnseen`. */
  pages<T extends KubernetesObject>(path: string, what: string, query?: RequestDetails['query']): AsyncGenerator<readonly T[]>;
  /** @returns null when it may not be read */
  text(path: string, what: string): Promise<string | null>;
  /** Through a proxy of the API server: what does not answer there is not seen either, whatever the status. Asks once, for some seconds. */
  proxied(path: string, what: string): Promise<string | null>;
  /** What the API server would make of the object. Writes nothing: the only request other than GET is this one, with `dryRun=All`. */
  dryRunCreate<T extends KubernetesObject>(path: string, object: T): Promise<DryRun<T>>;
  /** Of the responses so far; null when none had a date. */
  readonly clock: ServerClock | null;
  /** Adds to `unseen`. */
  notSeen(what: string, why: string): void;
  /** Whether that may not be read; what is the name that was given with the request. */
  isUnseen(what: string): boolean;
  /** In the order in which it was tried, each once. */
  readonly unseen: readonly Unseen[];
}

const pageSize = 500;
/** Milliseconds for each request. */
const timeout = 30_000;
/** Milliseconds for a request through a proxy: a NetworkPolicy may drop it. */
const proxyTimeout = 5_000;
/** Milliseconds for all pages of a list. */
const maxListTime = 600_000;

/**
 * Requests reject with OperatorError: CLUSTER_UNREACHABLE without a complete response, API_RESPONSE_INVALID for one that is not of Kubernetes,
 * KUBERNETES_API_ERROR for other errors than 403 and 404.
 */
export function clusterView(cluster: Cluster): ClusterView {
  const unseen = new Map<string, Unseen>();
  const notSeen = (what: string, why: string): void => void unseen.set(what, { what, why });
  let clock: ServerClock | null = null;
  const reached = timed(cluster, (next) => {
    if (clock === null || next.uncertainty < clock.uncertainty) clock = next;
  });
  /** @returns what `absent` returns for what does not exist, null for what may not be read */
  const seen = async <T, A>(what: string, read: () => Promise<T>, absent: (error: unknown) => A): Promise<T | A | null> => {
    try {
      return await read();
    } catch (error) {
      if (isNotFound(error)) return absent(error);
      if (statusOf(error) !== 403) throw error;
      notSeen(what, describeError(error));
      return null;
    }
  };

  return {
    namespace: cluster.namespace,
    get: <T extends object>(path: string, what: string) => seen(what, () => getAt<T>(reached, path), toUndefined),
    list: <T extends KubernetesObject>(path: string, what: string, query?: RequestDetails['query']) =>
      seen<readonly T[], readonly T[]>(
        what,
        async () => collected(pagesOf<T>(reached, path, query)),
        () => [],
      ),
    pages: async function* <T extends KubernetesObject>(path: string, what: string, query?: RequestDetails['query']) {
      const source = pagesOf<T>(reached, path, query);
      for (;;) {
        // Every cluster has the resources that are read in pages: without them, it is not one.
        const next = await seen(what, () => source.next(), rethrow);
        if (next === null || next.done === true) return;
        yield next.value;
      }
    },
    text: (path, what) => seen(what, () => textAt(reached, path), toNull),
    proxied: async (path, what) => {
      try {
        return await textAt(reached, path, AbortSignal.timeout(proxyTimeout));
      } catch (error) {
        notSeen(what, describeError(error));
        return null;
      }
    },
    dryRunCreate: (path, object) => dryRunCreate(reached, path, object),
    notSeen,
    get clock() {
      return clock;
    },
    isUnseen: (what) => unseen.has(what),
    get unseen() {
      return [...unseen.values()];
    },
  };
}

async function* pagesOf<T extends KubernetesObject>(
  cluster: Cluster,
  path: string,
  { limit = pageSize, ...query }: NonNullable<RequestDetails['query']> = {},
): AsyncGenerator<readonly T[]> {
  const found = { path, query: stringsOf(query), pageSize: Number(limit), signal: AbortSignal.timeout(maxListTime), onActivity: () => {} };
  for await (const page of listPages<T>(cluster, found)) yield page.items;
}

async function getAt<T extends object>(cluster: Cluster, path: string): Promise<T> {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server validated it
  return (await readJson(`GET ${path}`, await cluster.request(path, {}))) as T;
}

const toNull = (): null => null;
const toUndefined = (): undefined => undefined;

async function textAt(cluster: Cluster, path: string, signal?: AbortSignal): Promise<string> {
  const response = await cluster.request(path, signal === undefined ? {} : { signal });
  if (response.status !== 200) throw await apiErrorOf(`GET ${path}`, response);
  return await reach(() => textOf(response.body));
}

async function dryRunCreate<T extends KubernetesObject>(cluster: Cluster, path: string, object: T): Promise<DryRun<T>> {
  const response = await cluster.request(path, { method: 'POST', query: { dryRun: 'All' }, body: object });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server returns the object that was sent
  if (response.status === 201) return { created: (await readJson(`POST ${path}`, response)) as T };
  // A body that is no Status has no message.
  const body: unknown = await response.json().catch(() => null);
  return { status: response.status, message: text(body, 'message') ?? `status ${response.status}` };
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

/** Each request has a timeout, and errors of the connection are OperatorErrors. */
function timed(cluster: Cluster, onClock: (clock: ServerClock) => void): Cluster {
  return {
    ...cluster,
    request: async (path, { signal, ...options }) => {
      const sent = Date.now();
      const signals = [AbortSignal.timeout(timeout), ...(signal === undefined ? [] : [signal])];
      const response = await reach(() => cluster.request(path, { ...options, signal: AbortSignal.any(signals) }));
      const received = Date.now();
      if (response.date !== null) onClock(clockOf(response.date, sent, received));
      return { ...response, json: () => reach(() => response.json()) };
    },
  };
}

function clockOf(date: Date, sent: number, received: number): ServerClock {
  // The header has whole seconds, rounded down.
  return { ahead: date.getTime() + 500 - (sent + received) / 2, uncertainty: 500 + (received - sent) / 2 };
}

function rethrow(error: unknown): never {
  throw error;
}

/** An error of the connection as OperatorError. That a body is not JSON is no error of the connection. */
async function reach<T>(read: () => Promise<T>): Promise<T> {
  try {
    return await read();
  } catch (error) {
    throw error instanceof OperatorError || error instanceof SyntaxError ? error : unreachable(error);
  }
}

/** https://nodejs.org/api/tls.html#x509-certificate-error-codes */
const untrusted: ReadonlySet<string | null> = new Set([
  'UNABLE_TO_VERIFY_LEAF_SIGNATURE',
  'UNABLE_TO_GET_ISSUER_CERT',
  'UNABLE_TO_GET_ISSUER_CERT_LOCALLY',
  'SELF_SIGNED_CERT_IN_CHAIN',
  'DEPTH_ZERO_SELF_SIGNED_CERT',
  'CERT_SIGNATURE_FAILURE',
]);

function unreachable(error: unknown): OperatorError {
  const code = errorCode(error);
  const problem = untrusted.has(code)
    ? `the certificate of the API server is not signed by the CA of the kubeconfig (${code})`
    : `the API server does not answer: ${describeError(error)}`;
  return new OperatorError('CLUSTER_UNREACHABLE', problem, undefined, { cause: error });
}
