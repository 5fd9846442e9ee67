/** Clients that are slow, half there, or speak something else: a bounded answer each, and the server goes on. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { defaultTimeouts, type Timeouts } from '../../src/server/server.ts';
import { pod, reviewOf } from '../builders/pod.ts';
import { call, dial, exchange, get, receive, type Target } from './call.ts';
import { limitsWith, running } from './running.ts';
import { until } from './until.ts';

const review = JSON.stringify(reviewOf({ object: pod({ containers: { web: 'nginx:1.27' } }) }));
const head = (extra = '', path = '/mutate'): string => `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${extra}`;
const whole = `${head()}Connection: close\r\nContent-Length: ${review.length}\r\n\r\n${review}`;

/** What a status line, headers and body say, as far as a test is about them. */
const statuses = (text: string): number[] => [...text.matchAll(/HTTP\/1\.1 (\d{3})/g)].map((match) => Number(match[1]));

interface Exchange {
  readonly name: string;
  readonly bytes: string;
  readonly statuses: readonly number[];
  /** Of the last answer. */
  readonly code?: string;
}

const chunked = (text: string, size: number): string =>
  `${text
    .match(new RegExp(`.{1,${size}}`, 'gs'))
    ?.map((part) => `${part.length.toString(16)}\r\n${part}\r\n`)
    .join('')}0\r\n\r\n`;

const exchanges: readonly Exchange[] = [
  { name: 'a whole request', bytes: whole, statuses: [200] },
  { name: 'no HTTP', bytes: 'GARBAGE\r\n\r\n', statuses: [400], code: 'REQUEST_INVALID' },
  { name: 'the preface of HTTP/2', bytes: 'PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n', statuses: [400], code: 'REQUEST_INVALID' },
  { name: 'HTTP/1.0', bytes: `POST /mutate HTTP/1.0\r\nContent-Length: ${review.length}\r\n\r\n${review}`, statuses: [200] },
  { name: 'no Host', bytes: 'POST /mutate HTTP/1.1\r\nConnection: close\r\nContent-Length: 0\r\n\r\n', statuses: [400] },
  {
    name: "length and chunks at once, the smuggler's way",
    bytes: `${head()}Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n`,
    statuses: [400],
    code: 'REQUEST_INVALID',
  },
  { name: 'two lengths', bytes: `${head()}Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc`, statuses: [400], code: 'REQUEST_INVALID' },
  { name: 'a negative length', bytes: `${head()}Content-Length: -1\r\n\r\n`, statuses: [400], code: 'REQUEST_INVALID' },
  {
    name: 'a chunk without a size',
    bytes: `${head()}Transfer-Encoding: chunked\r\n\r\nnonsense\r\n`,
    statuses: [400],
    code: 'REQUEST_INVALID',
  },
  {
    name: 'chunks of one byte',
    bytes: `${head('Connection: close\r\nTransfer-Encoding: chunked\r\n\r\n')}${chunked(review, 1)}`,
    statuses: [200],
  },
  {
    name: 'a transfer encoding that is not chunks',
    bytes: `${head('Connection: close\r\n')}Transfer-Encoding: gzip\r\n\r\n`,
    statuses: [400],
    code: 'REQUEST_INVALID',
  },
  { name: 'headers of 70 KB', bytes: `${head()}X: ${'a'.repeat(70_000)}\r\n\r\n`, statuses: [431], code: 'HEADERS_TOO_LARGE' },
  {
    name: '3,000 headers',
    bytes: `${head()}${Array.from({ length: 3000 }, (_value, n) => `X${n}: ${n}\r\n`).join('')}\r\n`,
    statuses: [431],
    code: 'HEADERS_TOO_LARGE',
  },
  { name: 'Expect: 100-continue', bytes: whole.replace('Host: a', 'Host: a\r\nExpect: 100-continue'), statuses: [100, 200] },
  { name: 'an expectation that nobody meets', bytes: whole.replace('Host: a', 'Host: a\r\nExpect: a-miracle'), statuses: [417] },
  { name: 'three requests at once', bytes: `${whole.replace('Connection: close\r\n', '').repeat(2)}${whole}`, statuses: [200, 200, 200] },
  // No answer could be told from that of the other any more.
  {
    name: 'a good request and a bad one at once',
    bytes: `${whole.replace('Connection: close\r\n', '')}nonsense\r\n\r\n`,
    statuses: [400],
    code: 'REQUEST_INVALID',
  },
  {
    name: 'an upgrade',
    bytes: `GET /healthz HTTP/1.1\r\nHost: a\r\nConnection: upgrade, close\r\nUpgrade: websocket\r\n\r\n`,
    statuses: [200],
  },
  { name: 'CONNECT', bytes: 'CONNECT example.com:443 HTTP/1.1\r\nHost: example.com\r\n\r\n', statuses: [] },
];

test('unusual bytes', async (t) => {
  const server = await running(t);
  for (const { name, bytes, statuses: expected, code } of exchanges) {
    const text = await exchange(server, bytes);
    t.same(statuses(text), expected, name);
    if (code !== undefined) t.match(JSON.parse(text.slice(text.lastIndexOf('\r\n\r\n') + 4)), { code, error: /; \w+/ }, name);
    t.equal((await get(server, '/readyz')).status, 200, `after ${name}`);
  }
});

test('answers to pipelined requests come in order', async (t) => {
  const server = await running(t);
  const paths = Array.from({ length: 100 }, (_value, n) => (n % 3 === 0 ? `/missing-${n}` : '/healthz'));
  const socket = await dial(server);
  const received = receive(socket);
  socket.write(
    paths.map((path, n) => `GET ${path} HTTP/1.1\r\nHost: a\r\n${n === paths.length - 1 ? 'Connection: close\r\n' : ''}\r\n`).join(''),
  );
  const text = await received.closed;
  t.same(
    statuses(text),
    paths.map((path) => (path === '/healthz' ? 200 : 404)),
  );
  t.same(
    [...text.matchAll(/missing-(\d+)/g)].map((match) => Number(match[1])),
    paths.flatMap((_path, n) => (n % 3 === 0 ? [n] : [])),
  );
});

test('500 pipelined reviews are answered in order: a pause of the parser once reset the connection in the middle', async (t) => {
  const server = await running(t);
  for (const size of [review.length, 3_000, 60_000]) {
    const socket = await dial(server);
    const received = receive(socket);
    for (let n = 0; n < 500; n += 1) {
      const body = review.replace(/"uid":"[^"]*"/, `"uid":"${n}"`).padEnd(size);
      socket.write(`${head(n === 499 ? 'Connection: close\r\n' : '')}Content-Length: ${body.length}\r\n\r\n${body}`);
    }
    const text = await received.closed;
    t.same(
      [...text.matchAll(/"uid":"(\d+)"/g)].map((match) => Number(match[1])),
      Array.from({ length: 500 }, (_value, n) => n),
      `${size} bytes`,
    );
  }
});

/** None for the handshake, nor for a request that is whole: on a busy machine that would end first what is to be slow. */
const soon: Timeouts = { ...defaultTimeouts, headers: 300, request: 600, check: 20 };

/** Each sends something and then nothing, or too little at a time. */
const slow: readonly { readonly name: string; readonly send: (socket: Socket) => void; readonly statuses: readonly number[] }[] = [
  { name: 'nothing at all', send: () => {}, statuses: [408] },
  { name: 'half of the headers', send: (socket) => socket.write(head()), statuses: [408] },
  { name: 'half of the body', send: (socket) => socket.write(whole.slice(0, -20)), statuses: [408] },
  { name: 'a chunk and no more', send: (socket) => socket.write(`${head()}Transfer-Encoding: chunked\r\n\r\n1\r\n{\r\n`), statuses: [408] },
  { name: 'one byte of headers at a time', send: (socket) => void drip(socket, `${head()}X-Long: ${'a'.repeat(10_000)}`), statuses: [408] },
  {
    name: 'one byte of the body at a time',
    send: (socket) => {
      socket.write(whole.slice(0, -review.length));
      void drip(socket, ' '.repeat(10_000));
    },
    statuses: [408],
  },
];

async function drip(socket: Socket, text: string): Promise<void> {
  for (const character of text) {
    if (socket.destroyed) return;
    socket.write(character);
    await sleep(20);
  }
}

test('slow requests get 408 after the timeout', async (t) => {
  const server = await running(t, { timeouts: soon });
  await Promise.all(
    slow.map(async ({ name, send, statuses: expected }) => {
      const socket = await dial(server);
      const received = receive(socket);
      send(socket);
      const text = await received.closed;
      t.same(statuses(text), expected, name);
      if (expected.includes(408)) t.match(text, '"code":"REQUEST_TOO_SLOW"', name);
    }),
  );
});

test('a connection without a second request is closed', async (t) => {
  const server = await running(t, { timeouts: { ...defaultTimeouts, keepAlive: 300, check: 20 } });
  const socket = await dial(server);
  const received = receive(socket);
  socket.write(whole.replace('Connection: close\r\n', ''));
  t.same(statuses(await received.closed), [200]);
});

test('a client that closes the connection midway gets 400 or nothing', async (t) => {
  const server = await running(t, { overload: limitsWith({ maxInFlight: 1 }) });
  for (const bytes of [head(), whole.slice(0, -20), 'POST']) {
    const socket = await dial(server);
    const received = receive(socket);
    socket.end(bytes);
    t.same(statuses(await received.closed), [400], JSON.stringify(bytes.slice(-20)));
  }
  for (let n = 0; n < 20; n += 1) {
    const socket = connectTcp(server.port, '127.0.0.1');
    const secure = await dial(server, { socket });
    await new Promise((resolve) => {
      secure.write(whole.slice(0, -20), resolve);
    });
    // Once with a reset, once with a proper end of TCP but none of TLS.
    if (n % 2 === 0) socket.resetAndDestroy();
    else socket.destroy();
  }
  // With room for a single request, one that was not given back would turn away all others for good.
  await until('there is room again', async () => (await call(server, { body: review })).status === 200);
});

async function tcp({ port }: Target, bytes: string | Buffer | null): Promise<Buffer> {
  const socket = connectTcp(port, '127.0.0.1');
  await once(socket, 'connect');
  const chunks: Buffer[] = [];
  socket.on('data', (chunk: Buffer) => chunks.push(chunk));
  socket.on('error', () => {});
  if (bytes !== null) socket.write(bytes);
  await new Promise((resolve) => {
    socket.once('close', resolve);
  });
  return Buffer.concat(chunks);
}

test('connections without TLS', async (t) => {
  const server = await running(t, { timeouts: { ...defaultTimeouts, handshake: 300 } });
  const alert = 0x15;
  t.equal((await tcp(server, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n'))[0] ?? alert, alert, 'plain HTTP');
  t.equal((await tcp(server, Buffer.alloc(4096, 0xa5)))[0] ?? alert, alert, 'noise');
  t.equal((await tcp(server, Buffer.from('160301ffff0100', 'hex')))[0] ?? alert, alert, 'a hello that does not go on');
  t.equal((await tcp(server, null)).length, 0, 'silence');
  // A handshake of its own may take longer than that on a busy machine.
  await until('it serves', async () => (await call(server, { body: review }).catch(() => null))?.status === 200);
});
