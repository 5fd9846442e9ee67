/** Every error that a client of the server can get: its code, status and sentence. Documented in docs/reference/errors.md. */
import type { FastifyReply } from 'fastify';

export const clientErrors = {
  BODY_NOT_JSON: { status: 400, remedy: 'POST an AdmissionReview as uncompressed JSON' },
  BODY_ENCODED: { status: 400, remedy: 'send the body without Content-Encoding' },
  REVIEW_INVALID: { status: 400, remedy: 'POST an AdmissionReview of admission.k8s.io/v1' },
  REQUEST_INVALID: { status: 400, remedy: 'check the request line, headers and body length' },
  CLIENT_CERTIFICATE_REQUIRED: { status: 403, remedy: 'present a certificate that the client CA signed' },
  NOT_FOUND: { status: 404, remedy: 'POST to /mutate or /shadow; GET /healthz or /readyz' },
  REQUEST_TOO_SLOW: { status: 408, remedy: 'send the whole request at once' },
  BODY_TOO_LARGE: { status: 413, remedy: 'an AdmissionReview has at most 8 MiB' },
  HEADERS_TOO_LARGE: { status: 431, remedy: 'the request line and the headers have at most 16 KiB' },
  INTERNAL: { status: 500, remedy: 'see the log of the server' },
  OVERLOADED: { status: 503, remedy: 'try again in a second' },
} as const;

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
