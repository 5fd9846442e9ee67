/** The one connection to the Kubernetes API: the client library's typed calls and raw requests, over one pool, with credentials that stay fresh. */
import type { KubernetesObject, RequestContext } from '@kubernetes/client-node';
import {
  AdmissionregistrationV1Api,
  CoordinationV1Api,
  CoreV1Api,
  createConfiguration,
  EventsV1Api,
  KubeConfig,
  PatchStrategy,
  ServerConfiguration,
} from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';
import type { Dispatcher } from 'undici';

import { readJson } from './answer.ts';
import { parseRetryAfter } from './api-error.ts';
import { resourcePath } from './resource-path.ts';
import { sharedDispatcher, type SharedDispatcher, type TlsIdentity } from './shared-dispatcher.ts';

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

export class ClusterConfigError extends Error {
  readonly code = 'CLUSTER_CONFIG_INVALID';
}

/**
 * Reads the configuration, connects with the first call. Certificates and token are read again for later calls, so their files may change.
 *
 * @param options `kubeconfig`: a file; without it the pod's service account, else `$KUBECONFIG` or `~/.kube/config`
 * @throws ClusterConfigError
 */
export function connect(options: { readonly kubeconfig?: string } = {}): Cluster {
  const kubeconfig = load(options.kubeconfig);
  const server = serverOf(kubeconfig);
  const dispatcher = sharedDispatcher();
  const identify = (): Promise<Caller> => callerOf(kubeconfig, dispatcher);
  const configuration = createConfiguration({ baseServer: new ServerConfiguration(server, {}), authMethods: { default: authentication(identify) } });

  const request: Cluster['request'] = async (path, details) => {
    const caller = await identify();
    return send(caller, new URL(server + path), details);
  };
  return {
    core: new CoreV1Api(configuration),
    coordination: new CoordinationV1Api(configuration),
    admissionRegistration: new AdmissionregistrationV1Api(configuration),
    events: new EventsV1Api(configuration),
    request,
    apply: (object, how) => apply(request, object, how),
    close: () => dispatcher.close(),
  };
}

const serviceAccountFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

function load(file: string | undefined): KubeConfig {
  const kubeconfig = new KubeConfig();
  const inCluster = process.env['KUBERNETES_SERVICE_HOST'] !== undefined && process.env['KUBECONFIG'] === undefined;
  const source = file ?? (inCluster ? serviceAccountFolder : 'the default kubeconfig');
  try {
    if (file !== undefined) kubeconfig.loadFromFile(file);
    else if (inCluster) kubeconfig.loadFromCluster();
    else kubeconfig.loadFromDefault();
  } catch (cause) {
    throw new ClusterConfigError(`${source} cannot be read as a kubeconfig; name one that kubectl accepts`, { cause });
  }
  return kubeconfig;
}

function serverOf(kubeconfig: KubeConfig): string {
  const cluster = kubeconfig.getCurrentCluster();
  // Without any configuration the library falls back to plain HTTP on localhost, over which no token may go.
  if (cluster === null || !cluster.server.startsWith('https://')) {
    throw new ClusterConfigError('no Kubernetes API server with an https address is configured; name a kubeconfig, or run in a pod with its service account token mounted');
  }
  if (cluster.proxyUrl !== undefined) throw new ClusterConfigError(`cluster ${cluster.name}: proxy-url is not supported; connect without a proxy`);
  return cluster.server.replace(/\/+$/, '');
}

interface Caller {
  readonly headers: Record<string, string>;
  readonly dispatcher: Dispatcher;
}

async function callerOf(kubeconfig: KubeConfig, shared: SharedDispatcher): Promise<Caller> {
  const options: RequestOptions = {};
  await kubeconfig.applyToHTTPSOptions(options);
  const identity: TlsIdentity = {
    ca: textOf(options.ca),
    cert: textOf(options.cert),
    key: textOf(options.key),
    servername: options.servername,
    verify: options.rejectUnauthorized !== false,
  };
  const headers: Record<string, string> = { 'User-Agent': 'transship' };
  for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
  if (typeof options.auth === 'string') headers['Authorization'] = `Basic ${Buffer.from(options.auth).toString('base64')}`;
  return { headers, dispatcher: shared.for(identity) };
}

const textOf = (pem: unknown): string | undefined => (typeof pem === 'string' || Buffer.isBuffer(pem) ? pem.toString() : undefined);

/** How the library's generated calls get our pool; its own KubeConfig makes a new one per call. */
function authentication(identify: () => Promise<Caller>) {
  return {
    getName: () => 'shared connection',
    applySecurityAuthentication: async (context: RequestContext): Promise<void> => {
      const { headers, dispatcher } = await identify();
      for (const [name, value] of Object.entries(headers)) context.setHeaderParam(name, value);
      context.setDispatcher(dispatcher);
    },
  };
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

async function apply(request: Cluster['request'], object: KubernetesObject, { fieldManager, force, dryRun = false }: ApplyOptions): Promise<KubernetesObject> {
  const path = resourcePath(object);
  const query = { fieldManager, force, ...(dryRun && { dryRun: 'All' }) };
  // JSON is YAML: https://kubernetes.io/docs/reference/using-api/server-side-apply/#serialization
  const response = await request(path, { method: 'PATCH', contentType: PatchStrategy.ServerSideApply, query, body: object });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server answers with the object
  return (await readJson(`apply ${path}`, response)) as KubernetesObject;
}
