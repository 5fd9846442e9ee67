/** Every error response of the server: code, status and message. */
import { answerCodes } from '../errors/codes.ts';

export const clientErrors = answerCodes;

export type ClientErrorCode = keyof typeof clientErrors;

export interface ClientError {
  readonly code: ClientErrorCode;
  readonly error: string;
}

/** @param detail what exactly is wrong, as a clause */
export function clientError(code: ClientErrorCode, detail: string): ClientError {
  return { code, error: `${detail}; ${clientErrors[code].remedy}` };
}

/**
 * Content type of every error, although its body is JSON: the API server logs the body of a failed call, and under failurePolicy Fail shows
 * it to the user who creates a pod, only if it is text (kubernetes/client-go, rest/request.go, isTextResponse).
 */
export const errorContentType = 'text/plain; charset=utf-8';

/** The detail of every INTERNAL error; the cause is only logged. */
export const internalError = 'internal error';

/** What the server sends back. */
export interface HttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** @param detail what exactly is wrong, as a clause */
export function errorResponse(code: ClientErrorCode, detail: string): HttpResponse {
  return { status: clientErrors[code].status, contentType: errorContentType, body: JSON.stringify(clientError(code, detail)) };
}
