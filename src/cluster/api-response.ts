/** Reads a response: the JSON of a success, an ApiError for everything else. */
import { OperatorError } from '../errors/operator-error.ts';
import { ApiError } from './api-error.ts';
import type { StreamingResponse } from './connection.ts';

/**
 * @param what the method and path, for the message
 * @throws ApiError for a status other than 2xx, OperatorError (API_RESPONSE_INVALID) for a success that is not a JSON object
 */
export async function readJson(what: string, response: StreamingResponse): Promise<object> {
  if (response.status < 200 || response.status >= 300) throw await apiErrorOf(what, response);
  let body: unknown;
  try {
    body = await response.json();
  } catch (cause) {
    if (cause instanceof SyntaxError) throw unlikeKubernetes(what, 'is not JSON', cause);
    throw cause;
  }
  if (typeof body !== 'object' || body === null || Array.isArray(body)) throw unlikeKubernetes(what, 'is not a JSON object');
  return body;
}

/** A proxy in between, or a server that is not an API server, responded with a success. */
export function unlikeKubernetes(what: string, problem: string, cause?: unknown): OperatorError {
  return new OperatorError('API_RESPONSE_INVALID', `${what}: the response ${problem}`, undefined, { cause });
}

/** The response as an error. Reads the body, so that the connection is released. */
export async function apiErrorOf(what: string, response: StreamingResponse): Promise<ApiError> {
  // A body that is not JSON, or that breaks off, adds nothing to the status.
  const body = await response.json().catch(() => null);
  return new ApiError(what, response.status, body, response.retryAfter);
}
