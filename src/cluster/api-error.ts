/** Errors of the API server and of the connection: what they mean for the caller, and a message that is safe to log. */

import { OperatorError } from '../errors/operator-error.ts';

/** The parts of a Status object that are read. https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/status/ */
interface Status {
  readonly reason?: string;
  readonly message?: string;
  readonly code?: number;
  readonly details?: { readonly retryAfterSeconds?: number; readonly causes?: readonly { readonly field?: string }[] };
}

/** By HTTP status. Other errors are transient, or handled by the caller. */
const remedies: Readonly<Record<number, string>> = {
  401: 'check the credentials, they may have expired',
  403: 'grant this right or use credentials that have it',
  429: 'try again in a moment',
  500: 'try again in a moment; the log of the API server has the cause',
  503: 'try again in a moment',
  504: 'try again in a moment',
};

/** Of a status without a Status object, such as the page of a proxy. */
const notKubernetes = 'check that the kubeconfig names an API server: the response is not one of Kubernetes';

/** A response other than 2xx, or an ERROR event of a watch. */
export class ApiError extends OperatorError {
  override readonly name = 'ApiError';
  readonly status: number;
  /** `reason` of the Status object, such as `AlreadyExists`; null when the response was not a Status. */
  readonly reason: string | null;
  /** Retry-After in milliseconds; null when absent. */
  readonly retryAfter: number | null;

  /** @param what the method and path, or the watch, that failed */
  constructor(what: string, status: number, body: unknown, retryAfter: number | null = null) {
    const parsed = isStatus(body) ? body : {};
    super('KUBERNETES_API_ERROR', `${what}: ${sentence(status, parsed)}`, remedies[status] ?? (isStatus(body) ? '' : notKubernetes));
    this.status = status;
    this.reason = parsed.reason ?? null;
    this.retryAfter = retryAfter ?? secondsToMilliseconds(parsed.details?.retryAfterSeconds);
  }
}

/** HTTP status of an ApiError, null for everything else. */
export const statusOf = (error: unknown): number | null => (error instanceof ApiError ? error.status : null);

export const isNotFound = (error: unknown): boolean => statusOf(error) === 404;
export const isForbidden = (error: unknown): boolean => statusOf(error) === 403;
/** A stale resourceVersion, a server-side apply conflict, or an object that already exists. */
export const isConflict = (error: unknown): boolean => statusOf(error) === 409;
export const isAlreadyExists = (error: unknown): boolean =>
  error instanceof ApiError && isConflict(error) && error.reason === 'AlreadyExists';

/** Retry-After in milliseconds, null when absent. https://www.rfc-editor.org/rfc/rfc9110#section-10.2.3 */
export const retryAfterOf = (error: unknown): number | null => (error instanceof ApiError ? error.retryAfter : null);

/** Only the form in seconds: the API server sends no dates. */
export function parseRetryAfter(header: unknown): number | null {
  const text = Array.isArray(header) ? header[0] : header;
  return typeof text === 'string' && /^\d{1,9}$/.test(text) ? Number(text) * 1000 : null;
}

/** A refusal names the user, the verb and the resource, and may name an object. */
const maxLength = 500;

/** One line for people, without bodies, headers or field values. */
export function describeError(error: unknown): string {
  if (!(error instanceof Error)) return oneLine(String(error));
  const code = errorCode(error);
  // Without the remedy: these are frequent in the log, and the required permissions are documented.
  if (error instanceof ApiError) return oneLine(error.problem);
  const text =
    error.message === '' || code === null || error.message.includes(code) || error instanceof OperatorError
      ? error.message
      : `${error.message} (${code})`;
  return oneLine(text === '' ? (code ?? error.name) : text);
}

/**
 * For these the API server builds the message from names only. Others (400, 422, 500) may repeat the request, which may contain a Secret.
 */
const quotableStatuses: ReadonlySet<number> = new Set([401, 403, 404, 409, 410, 429, 503, 504]);

/** Who refused it, by name. What follows is somebody else's, and may repeat the request. */
const refusal =
  /ValidatingAdmissionPolicy '[^']{1,253}' with binding '[^']{1,253}' denied request|admission webhook "[^"]{1,253}" denied the request|failed calling webhook "[^"]{1,253}"/;

function sentence(status: number, { reason, message, details }: Status): string {
  const name = `${status}${reason === undefined ? '' : ` ${reason}`}`;
  if (message !== undefined && quotableStatuses.has(status)) return oneLine(`${name}: ${message}`);
  const refuser = refusal.exec(message ?? '')?.[0];
  if (refuser !== undefined) return oneLine(`${name}: ${refuser}`);
  const fields = details?.causes?.flatMap(({ field }) => field ?? []) ?? [];
  return oneLine(fields.length === 0 ? name : `${name}: see ${fields.join(', ')}`);
}

const oneLine = (text: string): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim();
  return line.length > maxLength ? `${line.slice(0, maxLength - 1)}…` : line;
};

/** fetch puts the socket's error in `cause`, and attempts on several addresses in `errors`. */
export function errorCode(error: unknown): string | null {
  if (!(error instanceof Error)) return null;
  if ('code' in error && typeof error.code === 'string') return error.code;
  return errorCode(error.cause);
}

/** Any body: a proxy may respond with HTML. A Status of the API server; each field is optional. */
function isStatus(body: unknown): body is Status {
  return typeof body === 'object' && body !== null && 'kind' in body && body.kind === 'Status';
}

const secondsToMilliseconds = (seconds: number | undefined): number | null => (seconds === undefined ? null : seconds * 1000);
