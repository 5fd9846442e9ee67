/** One request to a registry or a token server: bounded in time, bytes and redirects, and credentials stay with the host they are for. */
import { Agent, EnvHttpProxyAgent, request, type Dispatcher } from 'undici';
import { isLoopback } from './endpoint.ts';
import { isLocalHost, LocalAddressError, lookupOthers } from './local-address.ts';

export interface HttpRequest {
  readonly method: 'GET' | 'HEAD';
  readonly url: URL;
  /** Origin of the registry, where it is not that of `url`: it has named `url`. */
  readonly registry?: string;
  readonly accept: string;
  /** Value of the header Authorization; sent to the origin of `url` only. */
  readonly authorization: string | null;
  /** How many redirects are followed. */
  readonly redirects: number;
  readonly signal: AbortSignal;
}

export interface HttpResponse {
  readonly status: number;
  /** Names are in lower case; a value for each line of a header that occurs more than once. */
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  /** Whether it is of the host that was asked, and not of one it redirected to. */
  readonly isOfOrigin: boolean;
  /** Of the body; null when it has more bytes than the limit. Either this or `drop` must be called, or the connection is never released. */
  readonly text: (limit: number) => Promise<string | null>;
  readonly drop: () => void;
}

type ResponseBody = Dispatcher.ResponseData['body'];

/** A redirect that is not followed. */
export class RedirectError extends Error {}

const connectTimeout = 5_000;
/** Bytes. */
const maxDropped = 16_384;
const redirectStatuses: ReadonlySet<number> = new Set([301, 302, 303, 307, 308]);

/** Connections to registries. `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` count, but not for loopback, as in Go. */
export class Connections {
  readonly #direct = new Agent({ connect: { timeout: connectTimeout }, allowH2: false });
  readonly #proxied = new EnvHttpProxyAgent({ connect: { timeout: connectTimeout }, allowH2: false });
  /** To hosts that a registry names. */
  readonly #foreign = new EnvHttpProxyAgent({ connect: { timeout: connectTimeout, lookup: lookupOthers }, allowH2: false });

  /**
   * @param registry that was asked; another host is one that it named
   * @throws LocalAddressError
   */
  for({ hostname, host }: URL, registry: URL): Dispatcher {
    // A registry on this machine may name what is there.
    if (hostname !== registry.hostname && !isLocalHost(registry.hostname)) {
      if (isLocalHost(hostname)) throw new LocalAddressError(shortHost(host));
      return this.#foreign;
    }
    return isLoopback(hostname) ? this.#direct : this.#proxied;
  }

  /** Requests in flight reject. */
  async close(): Promise<void> {
    await Promise.all([this.#direct, this.#proxied, this.#foreign].map((agent) => agent.destroy()));
  }
}

/** @throws RedirectError, LocalAddressError, the signal's reason, or an error of the connection */
export async function send(connections: Connections, asked: HttpRequest): Promise<HttpResponse> {
  let { url } = asked;
  const registry = new URL(asked.registry ?? url.origin);
  for (let redirects = 0; ; redirects += 1) {
    const isOfOrigin = url.origin === asked.url.origin;
    const {
      statusCode: status,
      headers,
      body,
    } = await request(url, {
      method: asked.method,
      headers: {
        accept: asked.accept,
        'user-agent': 'transship',
        // A redirect back to the first host after another one may be the other's doing, and still only that host gets them.
        ...(asked.authorization !== null && isOfOrigin && { authorization: asked.authorization }),
      },
      dispatcher: connections.for(url, registry),
      signal: asked.signal,
    });
    if (!redirectStatuses.has(status))
      return { status, headers, isOfOrigin, text: async (limit) => await textOf(body, limit), drop: () => drop(body, asked.signal) };
    drop(body, asked.signal);
    url = nextUrl(url, headers['location'], asked.redirects - redirects);
  }
}

/** Characters of a name in the DNS, and a port. */
const maxHost = 260;

/** The host of an address that somebody else wrote, for people: an address may be as long as a header. */
export const shortHost = (host: string): string => (host.length <= maxHost ? host : `${host.slice(0, maxHost)}…`);

/** @param left how many more are followed */
function nextUrl(from: URL, location: string | string[] | undefined, left: number): URL {
  const to = typeof location === 'string' ? URL.parse(location, from) : null;
  if (to === null) throw new RedirectError(`${shortHost(from.host)} redirects without saying where`);
  if (left <= 0) throw new RedirectError(`${shortHost(from.host)} redirects to ${shortHost(to.host)}, which is not followed`);
  const isSecure = to.protocol === 'https:' || (to.protocol === 'http:' && from.protocol === 'http:');
  if (!isSecure)
    throw new RedirectError(
      `${shortHost(from.host)} redirects to ${to.protocol.slice(0, maxHost)}//${shortHost(to.host)}, which is not followed`,
    );
  to.username = '';
  to.password = '';
  return to;
}

async function textOf(body: ResponseBody, limit: number): Promise<string | null> {
  const chunks: Buffer[] = [];
  let size = 0;
  for await (const chunk of body) {
    const bytes = Buffer.from(chunk);
    size += bytes.length;
    // Leaving the loop destroys the body.
    if (size > limit) return null;
    chunks.push(bytes);
  }
  return Buffer.concat(chunks).toString('utf8');
}

/** Reads a short rest, so that the connection can be used again; of a longer one the connection ends. */
function drop(body: ResponseBody, signal: AbortSignal): void {
  body.dump({ limit: maxDropped, signal }).catch(() => {});
}
