/** Why a registry did not answer, or what a response that is no success means: a result and one line for people, without content of the response. */
import { messageOf } from '../../errors/message.ts';
import type { HttpResponse } from './exchange.ts';
import { RedirectError } from './exchange.ts';
import { LocalAddressError } from './local-address.ts';
import { parseRetryAfter } from './retry-after.ts';

export type FailureResult = 'unauthorized' | 'too-many-requests' | 'unreachable' | 'unknown';

export interface Failure {
  readonly result: FailureResult;
  /** A clause that names the host. */
  readonly reason: string;
  /** Milliseconds, from Retry-After; null without it. */
  readonly retryAfter: number | null;
}

const failure = (result: FailureResult, reason: string, retryAfter: number | null = null): Failure => ({ result, reason, retryAfter });

/** By `code` of an error of Node.js or undici. */
const causes: Readonly<Record<string, string>> = {
  ENOTFOUND: 'its name is unknown',
  EAI_AGAIN: 'its name could not be resolved',
  ECONNREFUSED: 'it refuses connections',
  ECONNRESET: 'it closed the connection',
  EHOSTUNREACH: 'there is no route to it',
  ENETUNREACH: 'there is no route to it',
  ETIMEDOUT: 'it does not answer',
  UND_ERR_CONNECT_TIMEOUT: 'it does not answer',
  UND_ERR_SOCKET: 'it closed the connection',
  UND_ERR_HEADERS_OVERFLOW: 'the headers of its response are too long',
  HPE_HEADER_OVERFLOW: 'the headers of its response are too long',
  ERR_SSL_WRONG_VERSION_NUMBER: 'it does not speak TLS on this port',
  ERR_SSL_PACKET_LENGTH_TOO_LONG: 'it does not speak TLS on this port',
  CERT_HAS_EXPIRED: 'its certificate has expired',
  ERR_TLS_CERT_ALTNAME_INVALID: 'its certificate is for another name',
  DEPTH_ZERO_SELF_SIGNED_CERT: 'its certificate is not trusted',
  SELF_SIGNED_CERT_IN_CHAIN: 'its certificate is not trusted',
  UNABLE_TO_GET_ISSUER_CERT_LOCALLY: 'its certificate is not trusted',
  UNABLE_TO_VERIFY_LEAF_SIGNATURE: 'its certificate is not trusted',
};

/** @param what the host, or the host and that it is a token server */
export function failureOfError(what: string, error: unknown): Failure {
  if (error instanceof RedirectError || error instanceof LocalAddressError) return failure('unknown', error.message);
  if (error instanceof Error && error.name === 'TimeoutError') return failure('unreachable', `${what}: it did not answer in time`);
  return failure('unreachable', `${what}: ${causeOf(error)}`);
}

function causeOf(error: unknown): string {
  const code = codeOf(error);
  if (code !== null) return `${causes[code] ?? 'the connection failed'} (${code})`;
  return error instanceof Error && error.name === 'HTTPParserError' ? 'its response is not HTTP' : messageOf(error).slice(0, maxMessage);
}

/** Characters. */
const maxMessage = 200;

/** @returns null for 2xx; also null for 404, which means different things by request */
export function failureOfStatus(what: string, { status, headers }: HttpResponse, now: number): Failure | null {
  if (status >= 200 && status < 300 && isPage(headers['content-type']))
    return failure('unknown', `${what} answered with a web page: it is not a registry, or something in between asks for a login`);
  if (status === 401 || status === 403) return failure('unauthorized', `${what} answered ${status}`);
  if (status === 429) return failure('too-many-requests', `${what} answered 429`, parseRetryAfter(headers['retry-after'], now));
  if (status >= 500) return failure('unreachable', `${what} answered ${status}`, parseRetryAfter(headers['retry-after'], now));
  return (status >= 200 && status < 300) || status === 404 ? null : failure('unknown', `${what} answered ${status}`);
}

export function isPage(contentType: string | string[] | undefined): boolean {
  return /^(?:text\/html|application\/xhtml\+xml)\b/i.test(String(contentType));
}

function codeOf(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  return 'code' in error && typeof error.code === 'string' ? error.code : codeOf(error.cause);
}
