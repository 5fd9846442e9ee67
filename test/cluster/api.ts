/** Requests to the test cluster's API server as its administrator, with what kubectl hides: status codes and warnings. */
import { Agent, request } from 'node:https';
import type { IncomingMessage } from 'node:http';
import { text } from 'node:stream/consumers';

import type { KeyPair } from './pki.ts';

export interface ApiAnswer<T> {
  readonly status: number;
  /** The object, or the Status object that says what was wrong; text where the server sends no JSON (`/readyz`). */
  readonly body: T;
  /** Texts of the Warning headers. https://kubernetes.io/blog/2020/09/03/warnings/ */
  readonly warnings: readonly string[];
}

export interface Api {
  /**
   * The path with its query, as `/api/v1/namespaces/default/pods?dryRun=All`. A text is sent as it is, anything else as JSON. PATCH needs its
   * `contentType`. Rejects only when the connection fails.
   */
  send<T = Record<string, unknown>>(method: string, path: string, body?: unknown, contentType?: string): Promise<ApiAnswer<T>>;
  close(): void;
}

export function createApi(url: string, certificateAuthority: string, client: KeyPair): Api {
  const agent = new Agent({ keepAlive: true, ca: certificateAuthority, cert: client.certificate, key: client.key });
  const send: Api['send'] = <T>(method: string, path: string, body?: unknown, contentType = 'application/json') =>
    new Promise<ApiAnswer<T>>((resolve, reject) => {
      const headers = body === undefined ? {} : { 'content-type': contentType };
      const sent = request(new URL(path, url), { method, agent, headers, timeout: 30_000 }, (response) => {
        readAnswer<T>(response).then(resolve, reject);
      });
      sent.once('error', (error: NodeJS.ErrnoException) => {
        // The server closed it while it was idle, which a busy test learns only now. https://nodejs.org/api/http.html#requestreusedsocket
        const wasClosed = sent.reusedSocket && (error.code === 'ECONNRESET' || error.code === 'EPIPE');
        if (wasClosed) send<T>(method, path, body, contentType).then(resolve, reject);
        else reject(error);
      });
      sent.once('timeout', () => sent.destroy(new Error(`${method} ${path}: no answer from the API server within 30 s`)));
      sent.end(body === undefined || typeof body === 'string' ? body : JSON.stringify(body));
    });
  return {
    send,
    close: () => agent.destroy(),
  };
}

async function readAnswer<T>(response: IncomingMessage): Promise<ApiAnswer<T>> {
  const body = await text(response);
  const isJson = response.headers['content-type']?.startsWith('application/json') === true;
  return {
    status: response.statusCode ?? 0,
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the API server is the authority on its types
    body: (isJson ? JSON.parse(body) : body) as T,
    warnings: (response.headersDistinct['warning'] ?? []).map(warningText),
  };
}

/** `299 - "text"`: https://www.rfc-editor.org/rfc/rfc7234#section-5.5 */
const warningText = (header: string): string => header.replace(/^\d{3} \S+ "(.*)"$/s, '$1').replaceAll(/\\(.)/g, '$1');
