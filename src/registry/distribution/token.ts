/**
 * Bearer tokens of a token server, as the header WWW-Authenticate of a registry names it.
 * https://distribution.github.io/distribution/spec/auth/token/
 */
import { LRUCache } from 'lru-cache';
import type { Challenge } from './challenge.ts';
import { send, shortHost, type Connections } from './exchange.ts';
import { failureOfError, failureOfStatus, type Failure } from './failure.ts';

/** As in a pull secret. */
export interface PullCredential {
  /** Empty for none: the request is anonymous. */
  readonly username: string;
  readonly password: string;
}

export interface TokenRequest {
  /** Origin of the registry. */
  readonly registry: string;
  readonly challenge: Challenge;
  /** Of the repository, where the challenge names no scope. */
  readonly defaultScope: string | null;
  readonly credential: PullCredential | null;
  readonly signal: AbortSignal;
}

interface Token {
  readonly token: string;
  /** Milliseconds for which it is valid. */
  readonly life: number;
}

/** Bytes; a token has a few thousand. */
const maxResponse = 64 * 1024;
/** RFC 6750, section 2.1. */
const bearerToken = /^[\w.~+/-]+=*$/;
/** Seconds, where the server does not say it, and the least that it may mean. */
const defaultLife = 60;
const maxLife = 24 * 3600;

/** RFC 7617. Null without a user. */
export function basicAuthorization(credential: PullCredential | null): string | null {
  if (credential === null || credential.username === '') return null;
  return `Basic ${Buffer.from(`${credential.username}:${credential.password}`).toString('base64')}`;
}

export async function requestToken(connections: Connections, asked: TokenRequest, now: number): Promise<Token | Failure> {
  const url = tokenUrl(asked);
  if (url === null) return unusable(asked.registry, 'it names no token server that may be asked');
  const what = `the token server ${shortHost(url.host)}`;
  try {
    const response = await send(connections, {
      method: 'GET',
      url,
      registry: asked.registry,
      accept: 'application/json',
      authorization: basicAuthorization(asked.credential),
      // A token of another server is worth nothing, and it would be asked with the password.
      redirects: 0,
      signal: asked.signal,
    });
    const failed = failureOfStatus(what, response, now);
    if (failed !== null || response.status === 404) {
      response.drop();
      return failed ?? { result: 'unknown', reason: `${what} answered 404`, retryAfter: null };
    }
    return readToken(await response.text(maxResponse)) ?? unusable(what, 'it answered without a token');
  } catch (error) {
    return failureOfError(what, error);
  }
}

const unusable = (what: string, problem: string): Failure => ({ result: 'unknown', reason: `${what}: ${problem}`, retryAfter: null });

/** Null for a realm that would send a password in clear text where the registry itself is not. */
function tokenUrl({ registry, challenge, defaultScope }: TokenRequest): URL | null {
  const url = URL.parse(challenge.parameters.get('realm') ?? '');
  if (url === null || (url.protocol !== 'https:' && !(url.protocol === 'http:' && registry.startsWith('http:')))) return null;
  url.username = '';
  url.password = '';
  const service = challenge.parameters.get('service');
  if (service !== undefined) url.searchParams.set('service', service);
  const scope = challenge.parameters.get('scope') ?? defaultScope;
  for (const each of scope?.split(' ') ?? []) if (each !== '') url.searchParams.append('scope', each);
  return url;
}

function readToken(text: string | null): Token | null {
  const content = parsed(text ?? '');
  if (typeof content !== 'object' || content === null) return null;
  const token: unknown = Reflect.get(content, 'token') ?? Reflect.get(content, 'access_token');
  if (typeof token !== 'string' || !bearerToken.test(token)) return null;
  const seconds: unknown = Reflect.get(content, 'expires_in');
  const life = typeof seconds === 'number' ? Math.min(Math.max(seconds, defaultLife), maxLife) : defaultLife;
  return { token, life: life * 1000 };
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return null;
  }
}

/** Tokens until shortly before they expire, by registry, repository and credential. */
export class TokenCache {
  readonly #tokens: LRUCache<string, { readonly token: string; readonly expiresAt: number }>;
  readonly #now: () => number;

  constructor(now: () => number) {
    this.#tokens = new LRUCache({ max: maxTokens });
    this.#now = now;
  }

  get(key: string): string | null {
    const found = this.#tokens.get(key);
    return found !== undefined && found.expiresAt > this.#now() ? found.token : null;
  }

  set(key: string, { token, life }: Token): void {
    this.#tokens.set(key, { token, expiresAt: this.#now() + life * usedLife });
  }

  delete(key: string): void {
    this.#tokens.delete(key);
  }
}

const maxTokens = 1_000;
/** The rest is for the request that it goes with, and for clocks that differ. */
const usedLife = 0.8;
