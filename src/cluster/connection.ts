/** The connection to the Kubernetes API: JSON requests over one pool, with credentials that are kept fresh. */
import type { Dispatcher } from 'undici';

import { parseRetryAfter } from './api-error.ts';
import { type Credentials, serviceAccount } from './credentials.ts';
import { sharedDispatcher, type SharedDispatcher } from './shared-dispatcher.ts';

export interface RequestDetails {
  /** Default: GET. */
  readonly method?: string;
  /** Undefined parameters are omitted. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** Default: `application/json`. Only sent with a body. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** Read `body` to the end, break out of it, or call `json`: until then it occupies a connection. */
export interface StreamingResponse {
  readonly status: number;
  /** Retry-After in milliseconds, null when absent. */
  readonly retryAfter: number | null;
  /** Header `Date`, in whole seconds; null when absent or not a date. */
  readonly date: Date | null;
  readonly body: AsyncIterable<Uint8Array>;
  /** Rejects with a SyntaxError when the body is not JSON. */
  json(): Promise<unknown>;
}

export interface Cluster {
  /** Of the kubeconfig's context or of the pod, else `default`. */
  readonly namespace: string;
  /**
   * Resolves to the streaming response, whatever its status, as soon as the headers have arrived.
   *
   * @param path from `/api` or `/apis`, with or without a query
   * @throws when there is no response: undici's or Node's error with its `code`, or the reason of the signal
   */
  request(path: string, options: RequestDetails): Promise<StreamingResponse>;
  /** Closes every connection; calls in flight reject. */
  close(): Promise<void>;
}

/**
 * Reads the configuration; connects on the first call. Certificates and tokens are read again for later calls, since the files may change.
 *
 * @param options `kubeconfig`: a file. Default: `$KUBECONFIG`, then the service account in a pod, then `~/.kube/config`. `context`: one of its contexts
 * @throws ClusterConfigError
 */
export async function connect(options: { readonly kubeconfig?: string; readonly context?: string } = {}): Promise<Cluster> {
  const { KUBERNETES_SERVICE_HOST: inPod, KUBECONFIG: chosen } = process.env;
  const isServiceAccount = options.kubeconfig === undefined && options.context === undefined && chosen === undefined && inPod !== undefined;
  if (isServiceAccount) return connectWith(serviceAccount());
  // Imported here: the client library costs 20 MiB, and a controller in a pod has no kubeconfig.
  const { kubeconfigCredentials } = await import('./kubeconfig.ts');
  return connectWith(kubeconfigCredentials(options.kubeconfig, options.context));
}

export function connectWith(credentials: Credentials): Cluster {
  const dispatcher = sharedDispatcher();
  return {
    namespace: credentials.namespace,
    request: async (path, details) => send(await callerOf(credentials, dispatcher), new URL(credentials.server + path), details),
    close: () => dispatcher.close(),
  };
}

interface Caller {
  readonly headers: Readonly<Record<string, string>>;
  readonly dispatcher: Dispatcher;
}

async function callerOf(credentials: Credentials, shared: SharedDispatcher): Promise<Caller> {
  const { headers, identity } = await credentials.current();
  return { headers: { 'User-Agent': 'transship', ...headers }, dispatcher: shared.for(identity) };
}

async function send({ headers, dispatcher }: Caller, url: URL, details: RequestDetails): Promise<StreamingResponse> {
  const { method = 'GET', query = {}, body, contentType = 'application/json', signal } = details;
  for (const [name, value] of Object.entries(query)) if (value !== undefined) url.searchParams.set(name, String(value));
  const response = await dispatcher.request({
    origin: url.origin,
    path: url.pathname + url.search,
    method,
    headers: { ...headers, Accept: 'application/json', ...(body !== undefined && { 'Content-Type': contentType }) },
    body: body === undefined ? null : JSON.stringify(body),
    signal: signal ?? null,
  });
  return {
    status: response.statusCode,
    retryAfter: parseRetryAfter(response.headers['retry-after']),
    date: dateOf(response.headers['date']),
    body: response.body,
    json: () => response.body.json(),
  };
}

/** https://www.rfc-editor.org/rfc/rfc9110#section-6.6.1 */
function dateOf(header: unknown): Date | null {
  const date = new Date(typeof header === 'string' ? header : Number.NaN);
  return Number.isNaN(date.getTime()) ? null : date;
}
