/** Calling a webhook as clients do: through TLS, by node:https or byte by byte. */
import { once } from 'node:events';
import { Agent, request } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';

/** Where a webhook listens and what its certificate is checked with. */
export interface Target {
  readonly port: number;
  /** PEM. */
  readonly ca: string;
}

export interface Call {
  readonly method?: string;
  readonly path?: string;
  /** Null leaves one out that is sent otherwise. */
  readonly headers?: Readonly<Record<string, string | null>>;
  /** An object is sent as JSON. */
  readonly body?: string | Buffer | object;
  readonly agent?: Agent;
  /** Whom the call comes from; 127.0.0.1 unless told. */
  readonly localAddress?: string;
  /** PEM of a client certificate. */
  readonly cert?: string;
  readonly key?: string;
}

export interface Answer {
  readonly status: number;
  readonly headers: Readonly<Record<string, string | string[] | undefined>>;
  readonly text: string;
}

/** POST to /mutate over a connection of its own, unless told. */
export async function call({ port, ca }: Target, { body, headers = {}, ...options }: Call = {}): Promise<Answer> {
  const bytes = bytesOf(body);
  // One that keeps alive, as the API server does: the answer then shows whether the server wants to go on.
  const own = new Agent({ keepAlive: true });
  return await new Promise<Answer>((resolve, reject) => {
    const outgoing = request(
      { host: '127.0.0.1', port, ca, path: '/mutate', method: 'POST', agent: own, ...options, headers: headersOf(bytes, headers) },
      (response) => {
        const chunks: Buffer[] = [];
        response.on('data', (chunk: Buffer) => chunks.push(chunk));
        response.on('error', reject);
        response.on('end', () =>
          resolve({ status: response.statusCode ?? 0, headers: response.headers, text: Buffer.concat(chunks).toString() }),
        );
      },
    );
    outgoing.on('error', reject);
    outgoing.end(bytes);
  }).finally(() => own.destroy());
}

function headersOf(bytes: Buffer, headers: NonNullable<Call['headers']>): Record<string, string> {
  const length = headers['transfer-encoding'] === undefined ? { 'content-length': String(bytes.length) } : {};
  const all = Object.entries({ 'content-type': 'application/json', ...length, ...headers });
  return Object.fromEntries(all.filter((entry): entry is [string, string] => entry[1] !== null));
}

export const get = async (target: Target, path: string): Promise<Answer> => await call(target, { method: 'GET', path });

function bytesOf(body: Call['body']): Buffer {
  if (body === undefined) return Buffer.alloc(0);
  if (Buffer.isBuffer(body)) return body;
  return Buffer.from(typeof body === 'string' ? body : JSON.stringify(body));
}

/** A TLS connection that is shaken hands on. Rejects when the handshake fails. */
export async function dial({ port, ca }: Target, options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({ host: '127.0.0.1', port, ca, ALPNProtocols: ['http/1.1'], ...options });
  await once(socket, 'secureConnect');
  // A reset is one of the ends that callers look at, by what was received before it.
  socket.on('error', () => {});
  return socket;
}

export interface Received {
  /** All that came so far. */
  readonly text: () => string;
  /** Resolves with all that came, when the server has ended the connection. */
  readonly closed: Promise<string>;
}

export function receive(socket: TLSSocket): Received {
  let text = '';
  socket.on('data', (chunk: Buffer) => {
    text += chunk.toString('latin1');
  });
  return {
    text: () => text,
    closed: new Promise((resolve) => {
      socket.once('close', () => resolve(text));
    }),
  };
}

/** Sends bytes and gives all that comes back until the server closes. */
export async function exchange(target: Target, bytes: string | Buffer): Promise<string> {
  const socket = await dial(target);
  const received = receive(socket);
  socket.write(bytes);
  return await received.closed;
}
