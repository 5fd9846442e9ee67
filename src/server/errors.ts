/** Every error that a client of the server can get: its code, status and sentence. */
import { answerCodes } from '../errors/codes.ts';

export const clientErrors = answerCodes;

export type ClientErrorCode = keyof typeof clientErrors;

export interface ClientError {
  readonly code: ClientErrorCode;
  readonly error: string;
}

/** @param detail what exactly was wrong, a clause */
export function clientError(code: ClientErrorCode, detail: string): ClientError {
  return { code, error: `${detail}; ${clientErrors[code].remedy}` };
}

/**
 * Of every error, though its body is JSON: the API server puts the body of a failed call into its log, and tells it to who creates a
 * pod under failurePolicy Fail, only when it is text (kubernetes/client-go, rest/request.go, isTextResponse).
 */
export const errorContentType = 'text/plain; charset=utf-8';

/** The detail of an INTERNAL one, whatever happened: what it was is for the log. */
export const internalError = 'internal error';

/** What the server sends back. */
export interface HttpResponse {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** @param detail what exactly was wrong, a clause */
export function errorResponse(code: ClientErrorCode, detail: string): HttpResponse {
  return { status: clientErrors[code].status, contentType: errorContentType, body: JSON.stringify(clientError(code, detail)) };
}
