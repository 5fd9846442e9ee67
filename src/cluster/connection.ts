/** The one connection to the Kubernetes API: the client library's typed calls and raw requests, over one pool, with credentials that stay fresh. */
import type {
  AdmissionregistrationV1Api,
  Configuration,
  CoordinationV1Api,
  CoreV1Api,
  EventsV1Api,
  KubernetesObject,
  RequestContext,
} from '@kubernetes/client-node';
import type { Dispatcher } from 'undici';

import { readJson } from './api-response.ts';
import { parseRetryAfter } from './api-error.ts';
import { clientLibrary } from './client-library.ts';
import { type Credentials, serviceAccount } from './credentials.ts';
import { kubeconfigCredentials } from './kubeconfig.ts';
import { resourcePath } from './resource-path.ts';
import { sharedDispatcher, type SharedDispatcher } from './shared-dispatcher.ts';

export interface ApplyOptions {
  /** Who owns the fields. https://kubernetes.io/docs/reference/using-api/server-side-apply/#managers */
  readonly fieldManager: string;
  /** Takes fields from their present owners instead of a 409. */
  readonly force?: boolean;
  readonly dryRun?: boolean;
}

export interface RequestDetails {
  /** GET unless told. */
  readonly method?: string;
  /** What is undefined is left out. */
  readonly query?: Readonly<Record<string, string | number | boolean | undefined>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** `application/json` unless told; only sent with a body. */
  readonly contentType?: string;
  readonly signal?: AbortSignal;
}

/** Read `body` to its end, break out of it, or call `json`: until then it holds a connection. */
export interface StreamingResponse {
  readonly status: number;
  /** Milliseconds of Retry-After, null without. */
  readonly retryAfter: number | null;
  readonly body: AsyncIterable<Uint8Array>;
  /** Rejects with a SyntaxError when the body is not JSON. */
  json(): Promise<unknown>;
}

export interface Cluster {
  /** The client library's typed calls; the first use of one loads the library. */
  readonly core: CoreV1Api;
  readonly coordination: CoordinationV1Api;
  readonly admissionRegistration: AdmissionregistrationV1Api;
  readonly events: EventsV1Api;
  /**
   * Server-side apply of a whole object (apiVersion, kind, metadata.name[, namespace]). Resolves to what the server made of it; times are strings.
   *
   * @throws ApiError for an answer other than 2xx, ResourcePathError for a kind that is not known
   */
  apply(object: KubernetesObject, options: ApplyOptions): Promise<KubernetesObject>;
  /**
   * Raw request for watches and paged lists. Resolves to the streaming response whatever its status is, as soon as its headers are there.
   *
   * @param path from `/api` or `/apis`, with or without a query
   * @throws when there is no answer: undici's or Node's error with its `code`, or the signal's reason
   */
  request(path: string, options: RequestDetails): Promise<StreamingResponse>;
  /** Breaks every connection; calls in flight reject. */
  close(): Promise<void>;
}

/**
 * Reads the configuration, connects with the first call. Certificates and token are read again for later calls, so their files may change.
 *
 * @param options `kubeconfig`: a file; without it `$KUBECONFIG`, else the service account when run in a pod, else `~/.kube/config`
 * @throws ClusterConfigError
 */
export function connect(options: { readonly kubeconfig?: string } = {}): Cluster {
  const { KUBERNETES_SERVICE_HOST: inPod, KUBECONFIG: chosen } = process.env;
  const isServiceAccount = options.kubeconfig === undefined && chosen === undefined && inPod !== undefined;
  return connectWith(isServiceAccount ? serviceAccount() : kubeconfigCredentials(options.kubeconfig));
}

export function connectWith(credentials: Credentials): Cluster {
  const dispatcher = sharedDispatcher();
  const identify = (): Promise<Caller> => callerOf(credentials, dispatcher);
  let made: Configuration | undefined;
  const configuration = (): Configuration => (made ??= libraryConfiguration(credentials.server, identify));
  const request: Cluster['request'] = async (path, details) => {
    const caller = await identify();
    return send(caller, new URL(credentials.server + path), details);
  };
  return {
    get core() {
      return new (clientLibrary().CoreV1Api)(configuration());
    },
    get coordination() {
      return new (clientLibrary().CoordinationV1Api)(configuration());
    },
    get admissionRegistration() {
      return new (clientLibrary().AdmissionregistrationV1Api)(configuration());
    },
    get events() {
      return new (clientLibrary().EventsV1Api)(configuration());
    },
    request,
    apply: (object, how) => apply(request, object, how),
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

/** How the library's generated calls get our pool; its own KubeConfig makes a new one per call. */
function libraryConfiguration(server: string, identify: () => Promise<Caller>): Configuration {
  const { createConfiguration, ServerConfiguration } = clientLibrary();
  const authentication = {
    getName: () => 'shared connection',
    applySecurityAuthentication: async (context: RequestContext): Promise<void> => {
      const { headers, dispatcher } = await identify();
      for (const [name, value] of Object.entries(headers)) context.setHeaderParam(name, value);
      context.setDispatcher(dispatcher);
    },
  };
  return createConfiguration({ baseServer: new ServerConfiguration(server, {}), authMethods: { default: authentication } });
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
    body: response.body,
    json: () => response.body.json(),
  };
}

async function apply(
  request: Cluster['request'],
  object: KubernetesObject,
  { fieldManager, force, dryRun = false }: ApplyOptions,
): Promise<KubernetesObject> {
  const path = resourcePath(object);
  const query = { fieldManager, force, ...(dryRun && { dryRun: 'All' }) };
  // JSON is YAML: https://kubernetes.io/docs/reference/using-api/server-side-apply/#serialization
  const response = await request(path, { method: 'PATCH', contentType: 'application/apply-patch+yaml', query, body: object });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server answers with the object
  return (await readJson(`apply ${path}`, response)) as KubernetesObject;
}
