/** An HTTPS server on loopback that answers as a test tells it to, counts what arrives, and has a kubeconfig. */
import { once } from 'node:events';
import { writeFileSync } from 'node:fs';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { createServer } from 'node:https';
import { createConnection, createServer as createTcpServer, type AddressInfo, type Socket } from 'node:net';
import { join } from 'node:path';
import type { Test } from 'tap';
import { stringify } from 'yaml';

import { connectWith, type Cluster } from '../../src/cluster/connection.ts';
import { kubeconfigCredentials } from '../../src/cluster/kubeconfig.ts';
import { createAuthority, type KeyPair } from '../cluster/pki.ts';
import { temporaryFolder } from '../cluster/temporary-folder.ts';

export type Answer = (request: IncomingMessage, response: ServerResponse, number: number) => void;

export interface Arrival {
  readonly method: string;
  readonly path: string;
  readonly query: URLSearchParams;
  readonly headers: IncomingMessage['headers'];
  /** Milliseconds on the monotonic clock. */
  readonly at: number;
}

export interface MisbehavingServer {
  readonly url: string;
  readonly kubeconfig: string;
  /** The file the kubeconfig names as its CA. */
  readonly authorityFile: string;
  readonly arrivals: Arrival[];
  readonly handshakes: () => number;
  readonly sockets: ReadonlySet<Socket>;
  /** Takes the next requests; `number` counts from 0 since this was set. */
  answer: Answer;
  /** Another certificate for new connections; the old ones stay. Returns its CA. */
  changeCertificate(): Promise<string>;
  /** Breaks all connections with a TCP reset. */
  reset(): void;
  /** Breaks all connections and refuses new ones until `listen`. */
  stop(): Promise<void>;
  listen(): Promise<void>;
  cluster(): Cluster;
}

const refuse: Answer = (_request, response) => response.writeHead(500).end();

export async function misbehavingServer(t: Test, user: object = { token: 'planted-token' }): Promise<MisbehavingServer> {
  const folder = temporaryFolder('transship-client');
  t.teardown(() => folder.remove());
  const first = await newPair();
  const server = createServer({ cert: first.pair.certificate, key: first.pair.key });
  const sockets = new Set<Socket>();
  let handshakes = 0;
  let count = 0;
  let port = 0;
  let answer = refuse;
  const arrivals: Arrival[] = [];
  // In front, so that a connection can be reset whatever TLS is doing: Node forgets a socket that is reset during its handshake.
  const front = createTcpServer((socket) => {
    const inner = createConnection((server.address() as AddressInfo).port, '127.0.0.1');
    sockets.add(socket);
    socket.pipe(inner).pipe(socket);
    socket.on('error', () => {}).once('close', () => (sockets.delete(socket), inner.destroy()));
    inner.on('error', () => {}).once('close', () => socket.destroy());
  });
  server.on('secureConnection', () => handshakes++);
  server.on('request', (request, response) => {
    const { pathname, searchParams } = new URL(request.url ?? '/', 'https://localhost');
    arrivals.push({ method: request.method ?? '', path: pathname, query: searchParams, headers: request.headers, at: performance.now() });
    answer(request, response, count++);
  });
  const reset = (): void => {
    for (const socket of sockets) socket.resetAndDestroy();
  };
  const stop = async (): Promise<void> => {
    if (!front.listening) return;
    const closed = once(front, 'close');
    front.close();
    reset();
    await closed;
  };
  const listen = async (): Promise<void> => {
    front.listen(port, '127.0.0.1');
    await once(front, 'listening');
    // oxlint-disable-next-line require-atomic-updates -- one at a time
    port = (front.address() as AddressInfo).port;
  };
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  await listen();
  t.teardown(async () => {
    await stop();
    const closed = once(server, 'close');
    server.close();
    await closed;
  });
  const url = `https://127.0.0.1:${port}`;
  const authorityFile = join(folder.path, 'ca.crt');
  const kubeconfig = join(folder.path, 'kubeconfig');
  writeFileSync(authorityFile, first.authority);
  writeFileSync(
    kubeconfig,
    stringify({
      'current-context': 'c',
      clusters: [{ name: 'c', cluster: { server: url, 'certificate-authority': authorityFile } }],
      users: [{ name: 'c', user }],
      contexts: [{ name: 'c', context: { cluster: 'c', user: 'c' } }],
    }),
  );
  return {
    url,
    kubeconfig,
    authorityFile,
    arrivals,
    handshakes: () => handshakes,
    sockets,
    set answer(next: Answer) {
      count = 0;
      answer = next;
    },
    get answer() {
      return answer;
    },
    changeCertificate: async () => {
      const { authority, pair } = await newPair();
      server.setSecureContext({ cert: pair.certificate, key: pair.key });
      return authority;
    },
    reset,
    stop,
    listen,
    cluster: () => {
      const cluster = connectWith(kubeconfigCredentials(kubeconfig));
      t.teardown(() => cluster.close());
      return cluster;
    },
  };
}

async function newPair(): Promise<{ authority: string; pair: KeyPair }> {
  const authority = await createAuthority('misbehaving');
  return { authority: authority.certificate, pair: await authority.server(['127.0.0.1']) };
}

export interface Item {
  readonly apiVersion?: string;
  readonly kind?: string;
  readonly metadata: { readonly name: string; readonly namespace?: string; readonly resourceVersion: string };
}

export const item = (name: string, version: number): Item => ({ metadata: { name, resourceVersion: String(version) } });

export function sendJson(response: ServerResponse, status: number, body: unknown, headers: Record<string, string> = {}): void {
  response.writeHead(status, { 'content-type': 'application/json', ...headers }).end(JSON.stringify(body));
}

export const listOf = (version: number, items: readonly Item[], next?: string): object => ({
  apiVersion: 'v1',
  kind: 'NamespaceList',
  metadata: { resourceVersion: String(version), ...(next !== undefined && { continue: next }) },
  items,
});

export const status = (code: number, reason: string, message = `because of ${reason}`): object => ({
  apiVersion: 'v1',
  kind: 'Status',
  status: 'Failure',
  code,
  reason,
  message,
});

/** Opens a watch stream and writes these events; the stream stays open. */
export function stream(response: ServerResponse, ...events: readonly [type: string, object: object][]): void {
  response.writeHead(200, { 'content-type': 'application/json' });
  response.flushHeaders();
  for (const [type, object] of events) response.write(`${JSON.stringify({ type, object })}\n`);
}

export const isWatch = (request: IncomingMessage): boolean => request.url?.includes('watch=true') === true;
