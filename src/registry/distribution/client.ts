/**
 * Asks a registry for what it has, without pulling it. The client libraries on npm have had no release for years, or bring an HTTP stack of
 * their own.
 * https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md
 */
import type { Reference } from '../../image/reference.ts';
import { parseChallenges, type Challenge } from './challenge.ts';
import { baseUrl, manifestUrl, registryOrigin } from './endpoint.ts';
import { Connections, send, type HttpResponse } from './exchange.ts';
import { failureOfError, failureOfStatus, isPage, type Failure } from './failure.ts';
import { basicAuthorization, requestToken, TokenCache, type PullCredential } from './token.ts';

export interface Present {
  readonly result: 'present';
  /** Of the manifest; null when the registry does not tell it. */
  readonly digest: string | null;
}

export interface Missing {
  readonly result: 'missing';
}

export type ManifestAnswer = Present | Missing | Failure;

export interface ManifestRequest {
  /** Null for an anonymous request. */
  readonly credential: PullCredential | null;
  /** Where the API is, when it is not where the name of the image says: `http://registry.tools.svc:5000`. */
  readonly origin?: string | undefined;
  readonly signal: AbortSignal;
}

interface ManifestQuestion {
  readonly url: URL;
  readonly repository: string;
  /** Null for a tag. */
  readonly digest: string | null;
  readonly credential: PullCredential | null;
  /** Of the token cache. */
  readonly tokenKey: string;
  readonly signal: AbortSignal;
}

export type PingAnswer = { readonly ok: true } | { readonly ok: false; readonly reason: string };

export interface ClientOptions {
  /** Milliseconds for one question, with its redirects and the token. */
  readonly timeout?: number;
  /** Milliseconds of Unix time. */
  readonly now?: () => number;
}

/** What nodes accept: a registry answers 404 for a manifest of a type that is not in the list. */
const manifestTypes = [
  'application/vnd.oci.image.index.v1+json',
  'application/vnd.oci.image.manifest.v1+json',
  'application/vnd.docker.distribution.manifest.list.v2+json',
  'application/vnd.docker.distribution.manifest.v2+json',
  '*/*',
].join(', ');

const maxRedirects = 3;
/** Characters of a reason. */
const maxSchemes = 100;
const digestHeader = /^[\w+.-]+:[0-9a-fA-F]{32,}$/;

export class DistributionClient {
  readonly #connections = new Connections();
  readonly #tokens: TokenCache;
  readonly #timeout: number;
  readonly #now: () => number;

  constructor({ timeout = 10_000, now = Date.now }: ClientOptions = {}) {
    this.#timeout = timeout;
    this.#now = now;
    this.#tokens = new TokenCache(now);
  }

  /** Never rejects, except with the reason of the signal. */
  async headManifest(reference: Reference, request: ManifestRequest): Promise<ManifestAnswer> {
    const { credential, origin = registryOrigin(reference.host) } = request;
    const url = manifestUrl(origin, reference);
    const { path: repository, digest } = reference;
    const tokenKey = JSON.stringify([url.origin, repository, credential?.username, credential?.password]);
    try {
      return await this.#head({ url, repository, digest, credential, tokenKey, signal: this.#inTime(request.signal) });
    } catch (error) {
      request.signal.throwIfAborted();
      return failureOfError(url.host, error);
    }
  }

  /** Whether a registry answers there. It may ask for a login: that is an answer. Rejects with the reason of the signal only. */
  async ping(origin: string, signal: AbortSignal): Promise<PingAnswer> {
    const url = baseUrl(origin);
    try {
      const request = { method: 'GET', url, accept: '*/*', authorization: null, redirects: maxRedirects } as const;
      const response = await send(this.#connections, { ...request, signal: this.#inTime(signal) });
      response.drop();
      const failed = failureOfStatus(url.host, response, this.#now());
      if (failed === null) return response.status === 404 ? { ok: false, reason: `${url.host} answered 404 to /v2/` } : { ok: true };
      const asksForLogin = failed.result === 'unauthorized' && !isPage(response.headers['content-type']);
      return asksForLogin ? { ok: true } : { ok: false, reason: failed.reason };
    } catch (error) {
      signal.throwIfAborted();
      return { ok: false, reason: failureOfError(url.host, error).reason };
    }
  }

  /** Questions in flight get an answer that the registry is unreachable. */
  async close(): Promise<void> {
    await this.#connections.close();
  }

  #inTime(signal: AbortSignal): AbortSignal {
    return AbortSignal.any([signal, AbortSignal.timeout(this.#timeout)]);
  }

  /** With a token that is known, else without any; where that is refused, once more as the registry demands. */
  async #head(question: ManifestQuestion): Promise<ManifestAnswer> {
    const { tokenKey } = question;
    const known = this.#tokens.get(tokenKey);
    const first = await this.#ask(question, known === null ? null : `Bearer ${known}`);
    if (first.status !== 401 || !first.isOfOrigin) return this.#read(question, first);
    this.#tokens.delete(tokenKey);
    const authorization = await this.#authorize(question, parseChallenges(first.headers['www-authenticate']));
    if (typeof authorization !== 'string') return authorization;
    return this.#read(question, await this.#ask(question, authorization));
  }

  async #ask({ url, signal }: ManifestQuestion, authorization: string | null): Promise<HttpResponse> {
    const request = { url, accept: manifestTypes, authorization, redirects: maxRedirects, signal } as const;
    let response = await send(this.#connections, { ...request, method: 'HEAD' });
    response.drop();
    // As containerd: some registries have no HEAD for manifests (core/remotes/docker/resolver.go, retryRequest).
    if (response.status !== 405) return response;
    response = await send(this.#connections, { ...request, method: 'GET' });
    response.drop();
    return response;
  }

  /** The header that the registry asks for, or why there is none. */
  async #authorize(question: ManifestQuestion, challenges: readonly Challenge[]): Promise<string | Failure> {
    const { url, repository, credential, signal, tokenKey } = question;
    const withScheme = (scheme: string): Challenge | undefined => challenges.find((challenge) => challenge.scheme === scheme);
    const challenge = withScheme('bearer');
    if (challenge === undefined) {
      const basic = withScheme('basic') === undefined ? null : basicAuthorization(credential);
      return basic ?? { result: 'unauthorized', reason: `${url.host} answered 401${reasonWithoutBasic(challenges)}`, retryAfter: null };
    }
    const defaultScope = `repository:${repository}:pull`;
    const token = await requestToken(this.#connections, { registry: url.origin, challenge, defaultScope, credential, signal }, this.#now());
    if (!('token' in token)) return token;
    this.#tokens.set(tokenKey, token);
    return `Bearer ${token.token}`;
  }

  #read({ url: { host }, digest: asked }: ManifestQuestion, response: HttpResponse): ManifestAnswer {
    const failed = failureOfStatus(host, response, this.#now());
    if (failed !== null) return failed;
    if (response.status !== 404) {
      const digest = digestOf(response);
      if (asked === null || digest === null || asked.toLowerCase() === digest.toLowerCase()) return { result: 'present', digest };
      return { result: 'unknown', reason: `${host} answered with the manifest of another digest`, retryAfter: null };
    }
    if (isPage(response.headers['content-type']))
      return { result: 'unknown', reason: `${host} answered 404 with a web page: it may not be a registry`, retryAfter: null };
    return { result: 'missing' };
  }
}

function reasonWithoutBasic(challenges: readonly Challenge[]): string {
  if (challenges.length === 0) return ' without saying how to authenticate';
  const schemes = challenges
    .map(({ scheme }) => scheme)
    .join(', ')
    .slice(0, maxSchemes);
  return schemes === 'basic' ? ', and no pull secret has an entry for it' : ` and asks for ${schemes}`;
}

function digestOf({ headers }: HttpResponse): string | null {
  const digest = headers['docker-content-digest'];
  return typeof digest === 'string' && digestHeader.test(digest) ? digest : null;
}

/**
 * Whether a registry answers at an address of a policy. Never rejects, except with the reason of the signal.
 *
 * @param address a host with its port, or a host and a path: `harbor.example.com/mirror`
 */
export async function pingRegistry(address: string, { signal }: { readonly signal: AbortSignal }): Promise<PingAnswer> {
  const client = new DistributionClient();
  try {
    return await client.ping(registryOrigin(address.split('/', 1)[0] ?? ''), signal);
  } finally {
    await client.close();
  }
}
