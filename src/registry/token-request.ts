/** Requests a token from a cloud: can be aborted, quotes no secrets in errors, and never returns an expired token. */
import type { HostCredential } from './credentials.ts';
import { CredentialError } from './errors.ts';
import type { CloudName } from './cloud.ts';

/** In characters. The rest of an SDK's message is advice about SDK settings. */
const maxReasonLength = 300;

/** No host, ARN or word is this long; every token is. */
const tokenLike = /[\w.+/=~-]{100,}/g;

export interface TokenRequest {
  readonly cloud: CloudName;
  readonly signal: AbortSignal;
  /** Message for an SDK error whose own message would quote the response. */
  readonly mapSdkError?: (error: unknown) => CredentialError | undefined;
}

/**
 * @param request may ignore the signal: its result after the abort is not awaited
 * @throws CredentialError
 */
export async function requestToken(
  { cloud, signal, mapSdkError }: TokenRequest,
  request: () => Promise<readonly HostCredential[]>,
): Promise<readonly HostCredential[]> {
  const entries = await untilAborted(cloud, signal, request).catch((error: unknown) => {
    throw error instanceof CredentialError ? error : (mapSdkError?.(error) ?? tokenError(cloud, error));
  });
  const expired = entries.find(({ credential }) => credential.expiresAt !== null && credential.expiresAt.getTime() <= Date.now());
  if (expired === undefined) return entries;
  throw new CredentialError(
    'TOKEN_EXPIRED',
    `${cloud} returned a token for ${expired.host} that expired at ${expired.credential.expiresAt?.toISOString()}`,
  );
}

/** For a response without the documented shape. */
export function tokenUnreadable(cloud: CloudName, problem: string): CredentialError {
  return new CredentialError('TOKEN_UNREADABLE', `${cloud} returned no usable token: ${problem}`);
}

export function tokenRefused(cloud: CloudName, reason: string): CredentialError {
  return new CredentialError('TOKEN_REFUSED', `${cloud} issued no token: ${reason}`);
}

async function untilAborted<T>(cloud: CloudName, signal: AbortSignal, request: () => Promise<T>): Promise<T> {
  const aborted = Promise.withResolvers<never>();
  const abort = (): void => aborted.reject(new CredentialError('TOKEN_TIMEOUT', `${cloud} did not answer a token request in time`));
  if (signal.aborted) abort();
  signal.addEventListener('abort', abort, { once: true });
  try {
    return await Promise.race([aborted.promise, signal.aborted ? aborted.promise : request()]);
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

function tokenError(cloud: CloudName, error: unknown): CredentialError {
  // Parsers quote the text that they failed on, and that text contains a token.
  if (error instanceof SyntaxError) return tokenUnreadable(cloud, 'it is not JSON');
  const reason = error instanceof Error ? `${error.name}: ${error.message}${causeOf(error)}` : 'an unknown failure';
  return tokenRefused(cloud, reason.replaceAll(/\s+/g, ' ').replaceAll(tokenLike, '[redacted]').slice(0, maxReasonLength));
}

/** The message of a failed `fetch` is always the same; the cause (a name, a certificate, a connection) has the code. */
function causeOf({ cause }: Error): string {
  return cause instanceof Error && 'code' in cause && typeof cause.code === 'string' ? ` (${cause.code})` : '';
}
