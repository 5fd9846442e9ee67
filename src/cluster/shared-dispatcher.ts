/** One connection pool for all calls: the client library would open a new one, with a TLS handshake, for each. */
import { Agent, ProxyAgent, errors, type Dispatcher } from 'undici';

/** How the API server is reached. A change of any field needs new connections. */
export interface ConnectionIdentity {
  readonly ca: string | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  readonly servername: string | undefined;
  /** False only for a kubeconfig with `insecure-skip-tls-verify`. */
  readonly verify: boolean;
  /** `proxy-url` of a kubeconfig: http, https or socks5. */
  readonly proxy: string | undefined;
}

export interface SharedDispatcher {
  /** The pool for this identity; a new one when the identity changes. */
  for(identity: ConnectionIdentity): Dispatcher;
  /** Closes every connection; calls in flight reject. */
  close(): Promise<void>;
}

const connectTimeout = 10_000;
/** The API server ends every request that is not a watch within 34 s or 60 s: https://kubernetes.io/docs/reference/command-line-tools-reference/kube-apiserver/ (--request-timeout). */
const headersTimeout = 65_000;
/** Below the 90 s after which the API server, and the 60 s after which many load balancers, drop an idle connection. */
const keepAliveTimeout = 45_000;
const tcpKeepAlive = 30_000;

export function sharedDispatcher(): SharedDispatcher {
  let current: { readonly identity: ConnectionIdentity; readonly agent: Dispatcher } | undefined;
  const open = new Set<Dispatcher>();
  let isClosed = false;

  const replace = (identity: ConnectionIdentity): Dispatcher => {
    // A call in progress while `close` was called would open a pool that is never closed.
    if (isClosed) throw new errors.ClientClosedError('the connection to the API server was closed');
    const retired = current?.agent;
    // Its watches continue until they end; nothing new is sent over it.
    retired?.close().then(
      () => open.delete(retired),
      () => open.delete(retired),
    );
    const agent = createAgent(identity);
    open.add(agent);
    current = { identity, agent };
    return agent;
  };
  return {
    for: (identity) => (current !== undefined && isSame(current.identity, identity) ? current.agent : replace(identity)),
    close: async () => {
      isClosed = true;
      await Promise.all([...open].map((agent) => agent.destroy()));
      open.clear();
    },
  };
}

const isSame = (one: ConnectionIdentity, other: ConnectionIdentity): boolean =>
  one.ca === other.ca &&
  one.cert === other.cert &&
  one.key === other.key &&
  one.servername === other.servername &&
  one.verify === other.verify &&
  one.proxy === other.proxy;

function createAgent({ ca, cert, key, servername, verify, proxy }: ConnectionIdentity): Dispatcher {
  // One HTTP/1.1 connection per watch, so that a stalled stream never delays a lease renewal.
  const options = { allowH2: false, headersTimeout, keepAliveTimeout };
  const tls = {
    ...(ca !== undefined && { ca }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(servername !== undefined && { servername }),
    rejectUnauthorized: verify,
    timeout: connectTimeout,
    keepAlive: true,
    keepAliveInitialDelay: tcpKeepAlive,
  };
  return proxy === undefined ? new Agent({ ...options, connect: tls }) : new ProxyAgent({ ...options, uri: proxy, requestTls: tls });
}
