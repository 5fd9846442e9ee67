/**
 * The load: keep-alive TLS connections that each send one request after the other, as the API server does. Written on the bare
 * socket, because a general client would cost more than the server that it measures.
 */
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { setImmediate as immediate, setTimeout as sleep } from 'node:timers/promises';
import { changingDigits, changingPlaces, reviewOf, type Difference, type ReviewWish } from './reviews.ts';

export interface Load {
  /** Milliseconds of each request. */
  readonly latencies: readonly number[];
  readonly seconds: number;
}

export interface Message {
  readonly body: Buffer;
  /** Offsets of five digits that are others in each request. */
  readonly changing: readonly number[];
}

export function messageOf(review: ReviewWish, difference: Difference): Message {
  const body = Buffer.from(reviewOf(review));
  return { body, changing: changingPlaces(body, difference) };
}

export interface Connections {
  /** Sends that many requests over all connections together, each connection the next one as soon as it is answered. */
  readonly send: (message: Message, requests: number) => Promise<Load>;
  /**
   * Sends them at that rate, in requests a second, whether or not those before are answered; while all connections are busy they wait, and
   * that counts. Servers that are sent as much as they can take cannot be compared by their latency: the faster one is sent more.
   */
  readonly pace: (message: Message, requests: number, rate: number) => Promise<Load>;
  readonly close: () => void;
}

/** @param path of the webhook */
export async function openConnections(port: number, authority: string, count: number, path = '/mutate'): Promise<Connections> {
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ host: '127.0.0.1', port, ca: authority, servername: 'localhost', ALPNProtocols: ['http/1.1'] });
      socket.setNoDelay(true);
      await once(socket, 'secureConnect');
      return socket;
    }),
  );
  // Goes on from one call to the next, or a later one would send what an earlier one has sent.
  let number = 0;
  /** @param due resolves with the time at which the request of that number was to be sent */
  const run = async ({ body, changing }: Message, requests: number, due: (index: number) => Promise<number>): Promise<Load> => {
    const head = Buffer.from(
      `POST ${path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n`,
    );
    const latencies: number[] = [];
    let taken = 0;
    const began = performance.now();
    await Promise.all(
      sockets.map(async (socket) => {
        // Of its own, since it is written to while the others are on their way.
        const request = Buffer.concat([head, body]);
        while (taken < requests) {
          const index = taken;
          taken += 1;
          const sent = await due(index);
          const digits = String(number % 100_000).padStart(changingDigits, '0');
          number += 1;
          for (const at of changing) request.write(digits, head.length + at, 'latin1');
          await exchange(socket, request);
          latencies.push(performance.now() - sent);
        }
      }),
    );
    return { latencies, seconds: (performance.now() - began) / 1000 };
  };
  return {
    send: (message, requests) => run(message, requests, () => Promise.resolve(performance.now())),
    pace: (message, requests, rate) => {
      const began = performance.now();
      return run(message, requests, (index) => until(began + (index * 1000) / rate));
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

/** Sends that many reviews of 8 KB, after enough of which V8 has compiled what it will. */
export async function warm(port: number, authority: string, requests: number): Promise<void> {
  const connections = await openConnections(port, authority, 4);
  await connections.send(messageOf({ size: 8_800 }, 'replicas'), requests);
  connections.close();
}

/** Resolves with that time when it has come. */
async function until(time: number): Promise<number> {
  for (;;) {
    const left = time - performance.now();
    if (left <= 0) return time;
    // A timer comes up to a millisecond late, which is as long as an answer takes.
    if (left > 2) await sleep(left - 2);
    else await immediate();
  }
}

/** Sends a request and waits for the whole answer. */
function exchange(socket: TLSSocket, request: Buffer): Promise<void> {
  return new Promise((resolve, reject) => {
    let received: Buffer | null = null;
    const finish = (error?: Error): void => {
      socket.off('data', onData).off('error', finish).off('close', onClose);
      if (error === undefined) resolve();
      else reject(error);
    };
    const onClose = (): void => finish(new Error('the server closed the connection'));
    const onData = (chunk: Buffer): void => {
      received = received === null ? chunk : Buffer.concat([received, chunk]);
      if (!isWhole(received)) return;
      finish(received.toString('latin1', 9, 12) === '200' ? undefined : new Error(`answered ${received.toString('latin1', 0, 300)}`));
    };
    socket.on('data', onData).on('error', finish).on('close', onClose);
    socket.write(request);
  });
}

/** Whether that is a whole response, of which there is only one on a connection at a time. */
function isWhole(bytes: Buffer): boolean {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return false;
  const head = bytes.toString('latin1', 0, end);
  const length = /\r\ncontent-length: (\d+)/i.exec(head)?.[1];
  if (length !== undefined) return bytes.length >= end + 4 + Number(length);
  // https://www.rfc-editor.org/rfc/rfc9112#section-7.1: the last chunk is empty. Nobody here sends trailers.
  if (/\r\ntransfer-encoding: chunked/i.test(head)) return bytes.toString('latin1').endsWith('\r\n0\r\n\r\n');
  throw new Error('a response without Content-Length or chunks');
}
