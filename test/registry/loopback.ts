/** Real servers on 127.0.0.1 that speak as a cloud does, and the environment that sends an SDK to them. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type IncomingMessage, type Server } from 'node:http';
import { createServer as createTlsServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { getCACertificates, setDefaultCACertificates } from 'node:tls';
import { issueServing, createCa, type IssuedPair } from '../../src/tls/certificate.ts';

export interface Received {
  readonly method: string;
  readonly url: URL;
  readonly headers: IncomingHttpHeaders;
  readonly body: string;
}

export interface Answer {
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  readonly body: string;
}

/** `hang`: the request is taken and nothing comes back. `reset`: the connection ends instead of an answer. */
export type Reply = Answer | 'hang' | 'reset';

export interface Loopback {
  readonly origin: string;
  /** 127.0.0.1:port */
  readonly host: string;
  readonly requests: Received[];
}

export interface Teardown {
  readonly teardown: (run: () => unknown) => void;
}

/** @param tls a pair for 127.0.0.1; plain HTTP without */
export async function startLoopback(t: Teardown, reply: (request: Received) => Reply, tls?: IssuedPair): Promise<Loopback> {
  const requests: Received[] = [];
  const server: Server = tls === undefined ? createServer() : createTlsServer(tls);
  server.on('request', async (message: IncomingMessage, response) => {
    const request = {
      method: message.method ?? '',
      url: new URL(message.url ?? '/', 'http://loopback'),
      headers: message.headers,
      body: await text(message),
    };
    requests.push(request);
    const answer = reply(request);
    if (answer === 'reset') message.socket.destroy();
    else if (answer !== 'hang')
      response.writeHead(answer.status ?? 200, { 'content-type': 'application/json', ...answer.headers }).end(answer.body);
  });
  server.listen(0, '127.0.0.1');
  await once(server, 'listening');
  t.teardown(async () => {
    server.closeAllConnections();
    server.close();
    await once(server, 'close');
  });
  const host = `127.0.0.1:${(server.address() as AddressInfo).port}`;
  return { origin: `${tls === undefined ? 'http' : 'https'}://${host}`, host, requests };
}

/** A pair for 127.0.0.1, trusted by this process until the test ends. */
export async function trustedPair(t: Teardown): Promise<IssuedPair> {
  const authority = await createCa('transship test', { lifetime: 3_600_000 });
  const before = getCACertificates('default');
  setDefaultCACertificates([...before, authority.cert]);
  t.teardown(() => setDefaultCACertificates(before));
  return await issueServing(authority, ['127.0.0.1'], { lifetime: 3_600_000 });
}

/** Sets variables (undefined removes one) until the test ends. */
export function setEnvironment(t: Teardown, values: Readonly<Record<string, string | undefined>>): void {
  const before = Object.keys(values).map((name): [string, string | undefined] => [name, process.env[name]]);
  assign(Object.entries(values));
  t.teardown(() => assign(before));
}

function assign(values: readonly (readonly [string, string | undefined])[]): void {
  for (const [name, value] of values) {
    if (value === undefined) delete process.env[name];
    else process.env[name] = value;
  }
}
