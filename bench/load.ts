/**
 * The load: keep-alive TLS connections that each send one request after the other, as the API server does. Written on the bare
 * socket, because a general client would cost more than the server that it measures.
 */
import { connect, type TLSSocket } from 'node:tls';
import { once } from 'node:events';
import { changingDigits } from './reviews.ts';

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

export interface Connections {
  /** Sends that many requests over all connections together. */
  readonly send: (message: Message, requests: number) => Promise<Load>;
  readonly close: () => void;
}

export async function openConnections(port: number, authority: string, count: number): Promise<Connections> {
  const sockets = await Promise.all(
    Array.from({ length: count }, async () => {
      const socket = connect({ host: '127.0.0.1', port, ca: authority, servername: 'localhost', ALPNProtocols: ['http/1.1'] });
      socket.setNoDelay(true);
      await once(socket, 'secureConnect');
      return socket;
    }),
  );
  return {
    send: async ({ body, changing }, requests) => {
      const head = Buffer.from(`POST /mutate HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\nAccept: application/json\r\nContent-Length: ${body.length}\r\n\r\n`);
      const latencies: number[] = [];
      let left = requests;
      const began = performance.now();
      await Promise.all(
        sockets.map((socket) => {
          // Of its own, since it is written to while the others are on their way.
          const request = Buffer.concat([head, body]);
          const next = (): Buffer | null => {
            left -= 1;
            if (left < 0) return null;
            const digits = String(left % 100_000).padStart(changingDigits, '0');
            for (const at of changing) request.write(digits, head.length + at, 'latin1');
            return request;
          };
          return exchange(socket, next, latencies);
        }),
      );
      return { latencies, seconds: (performance.now() - began) / 1000 };
    },
    close: () => {
      for (const socket of sockets) socket.destroy();
    },
  };
}

function exchange(socket: TLSSocket, next: () => Buffer | null, latencies: number[]): Promise<void> {
  return new Promise((resolve, reject) => {
    let sent = 0;
    let received: Buffer | null = null;
    const finish = (error?: Error): void => {
      socket.removeAllListeners('data').removeAllListeners('close').removeAllListeners('error');
      if (error === undefined) resolve();
      else reject(error);
    };
    const ask = (): void => {
      const request = next();
      if (request === null) return finish();
      sent = performance.now();
      socket.write(request);
    };
    socket.on('data', (chunk: Buffer) => {
      received = received === null ? chunk : Buffer.concat([received, chunk]);
      const length = answerLength(received);
      if (length === null || received.length < length) return;
      if (received.toString('latin1', 9, 12) !== '200') return finish(new Error(`answered ${received.toString('latin1', 0, 300)}`));
      latencies.push(performance.now() - sent);
      received = null;
      ask();
    });
    socket.on('error', finish);
    socket.on('close', () => finish(new Error('the server closed the connection')));
    ask();
  });
}

/** Bytes of the whole answer, null while its headers have not arrived. */
function answerLength(bytes: Buffer): number | null {
  const end = bytes.indexOf('\r\n\r\n');
  if (end === -1) return null;
  const length = /\r\ncontent-length: (\d+)/i.exec(bytes.toString('latin1', 0, end));
  if (length === null) throw new Error('an answer without Content-Length');
  return end + 4 + Number(length[1]);
}
