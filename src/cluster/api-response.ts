/** Reads a response: the JSON of a success, an ApiError for everything else. */
import { ApiError } from './api-error.ts';
import type { StreamingResponse } from './connection.ts';

/**
 * @param what the method and path, for the message
 * @throws ApiError for a status other than 2xx, SyntaxError for a success that is not JSON
 */
export async function readJson(what: string, response: StreamingResponse): Promise<unknown> {
  if (response.status >= 200 && response.status < 300) return response.json();
  throw await apiErrorOf(what, response);
}

/** The response as an error. Reads the body, so that the connection is released. */
export async function apiErrorOf(what: string, response: StreamingResponse): Promise<ApiError> {
  // A body that is not JSON, or that breaks off, adds nothing to the status.
  const body = await response.json().catch(() => null);
  return new ApiError(what, response.status, body, response.retryAfter);
}
