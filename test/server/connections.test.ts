/** The limit of pipelined requests, by the events that Node emits. */
import { EventEmitter } from 'node:events';
import type { Server } from 'node:https';
import { test } from 'tap';
import { Connections } from '../../src/server/connections.ts';

/** The limit is 4,096 over all connections. */
const tooMany = 4_200;

class FakeSocket extends EventEmitter {
  readonly remoteAddress = '127.0.0.1';
  readonly remotePort: number;
  readonly authorized = false;
  readonly _writableState = { highWaterMark: 0 };
  destroyed = false;
  closed = false;

  constructor(remotePort: number) {
    super();
    this.remotePort = remotePort;
  }

  destroy(): void {
    this.destroyed = true;
  }

  /** What Node emits when the client has gone: nothing for a response that waits for an earlier one. */
  close(): void {
    this.closed = true;
    this.emit('close');
  }
}

function serverOf(): { readonly open: (port: number) => FakeSocket; readonly request: (socket: FakeSocket) => EventEmitter } {
  const server = new EventEmitter();
  // oxlint-disable-next-line no-new, typescript/no-unsafe-type-assertion -- it listens to the events of the server
  new Connections(server as unknown as Server, 10, () => undefined);
  return {
    open: (port) => {
      const socket = new FakeSocket(port);
      server.emit('connection', socket);
      server.emit('secureConnection', socket);
      return socket;
    },
    request: (socket) => {
      const response = new EventEmitter();
      server.emit('request', { socket }, response);
      return response;
    },
  };
}

test('a request of one client was once cut off because another client pipelines too many', (t) => {
  const { open, request } = serverOf();
  const [pipelines, other] = [open(1), open(2)];
  for (let n = 0; n < tooMany; n += 1) request(pipelines);
  request(other);
  t.match([pipelines.destroyed, other.destroyed], [true, false]);
  t.end();
});

test('pipelined requests whose client went away were once counted for ever', (t) => {
  const { open, request } = serverOf();
  const gone = open(1);
  for (let n = 0; n < tooMany; n += 1) request(gone);
  const other = open(2);
  gone.close();
  const responses = [request(other), request(other)];
  t.notOk(other.destroyed, 'two requests are few');
  for (const response of responses) response.emit('close');
  for (let n = 0; n < 4_000; n += 1) request(other);
  t.notOk(other.destroyed, 'and the whole limit is there again');
  t.end();
});
