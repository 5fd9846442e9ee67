/** Every error that a client of the server can get: its code, status and sentence. */
import type { FastifyReply } from 'fastify';
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
export const faultOfOurs = 'the request failed for a reason that is no fault of its own';

/** What the server sends back. */
export interface Answer {
  readonly status: number;
  readonly contentType: string;
  readonly body: string;
}

/** @param detail what exactly was wrong, a clause */
export function refusal(code: ClientErrorCode, detail: string): Answer {
  return { status: clientErrors[code].status, contentType: errorContentType, body: JSON.stringify(clientError(code, detail)) };
}

/** @param detail what exactly was wrong, a clause */
export function refuse(reply: FastifyReply, code: ClientErrorCode, detail: string): FastifyReply {
  const { status, contentType, body } = refusal(code, detail);
  return reply.code(status).type(contentType).send(body);
}
