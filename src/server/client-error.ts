/** The response to bytes that never became a request: not HTTP, headers too large or too slow, a connection closed midway. */
import type { Socket } from 'node:net';
import { clientError, clientErrors, errorContentType, type ClientErrorCode } from './errors.ts';

/** Not STATUS_CODES of node:http: importing that module loads Node's fetch, a tenth of the startup time. */
const phrases: Readonly<Record<number, string>> = { 400: 'Bad Request', 408: 'Request Timeout', 431: 'Request Header Fields Too Large' };

export function answerClientError(error: NodeJS.ErrnoException, socket: Socket): void {
  if (error.code === 'ECONNRESET' || socket.destroyed) return;
  const { code, detail } = meaning(error);
  const { status } = clientErrors[code];
  const body = JSON.stringify(clientError(code, detail));
  if (socket.writable) {
    socket.write(
      `HTTP/1.1 ${status} ${phrases[status] ?? ''}\r\nContent-Type: ${errorContentType}\r\nContent-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    );
  }
  // Not end(): a client that does not read must not keep the connection open.
  socket.destroy();
}

function meaning({ code }: NodeJS.ErrnoException): { readonly code: ClientErrorCode; readonly detail: string } {
  if (code === 'ERR_HTTP_REQUEST_TIMEOUT') return { code: 'REQUEST_TOO_SLOW', detail: 'the request did not arrive in time' };
  if (code === 'HPE_HEADER_OVERFLOW') return { code: 'HEADERS_TOO_LARGE', detail: 'the headers are too large' };
  // Node's message may quote the bytes, which are untrusted.
  return { code: 'REQUEST_INVALID', detail: `the bytes are not an HTTP/1.1 request (${code ?? 'unknown'})` };
}
