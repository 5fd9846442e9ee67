/**
 * Every open connection of a server, including those that never sent a request. When their limit is reached, a new connection replaces
 * another one instead of being refused: otherwise a client that holds all of them would lock out the API server.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Server } from 'node:https';
import type { Socket } from 'node:net';
import type { TLSSocket } from 'node:tls';
import { Client } from './client.ts';

export class Connection {
  readonly client: Client;
  readonly raw: Socket;
  readonly opened = performance.now();
  /** Requests so far. */
  requests = 0;
  /** Requests without a response. */
  inFlight = 0;
  /** Those of them that wait for an earlier one. */
  pipelined = 0;
  /** Whether it presented a certificate that the client CA signed. */
  isTrusted = false;

  constructor(raw: Socket, client: Client) {
    this.raw = raw;
    this.client = client;
  }
}

/** Milliseconds that a connection has for its handshake and first request before it counts as silent. */
const grace = 1_000;

/** Pipelined requests that wait for earlier ones, over all connections. The API server never pipelines; each costs some KiB. */
const maxPipelined = 4_096;

export class Connections {
  readonly #max: number;
  readonly #onEvicted: () => void;
  /** By remote address and port, oldest first. */
  readonly #open = new Map<string, Connection>();
  readonly #secure = new WeakMap<object, Connection>();
  readonly #clients = new Map<string, Client>();
  #pipelined = 0;

  /** @param onEvicted called for each connection that was closed for a new one */
  constructor(server: Server, max: number, onEvicted: () => void) {
    this.#max = max;
    this.#onEvicted = onEvicted;
    server.on('connection', (raw) => this.#add(raw));
    server.on('secureConnection', (socket) => this.#secured(socket));
    // Before the response is created.
    server.prependListener('request', (request, response) => this.#requested(request, response));
  }

  get size(): number {
    return this.#open.size;
  }

  /** @param socket of a request */
  of(socket: Socket): Connection | undefined {
    return this.#secure.get(socket);
  }

  /**
   * Closes all of them, including those with requests in flight. Node's `closeAllConnections()` only knows connections that have reached
   * HTTP: one that stopped before its TLS handshake would delay `close()` for two minutes, and the kubelet would then kill the process.
   */
  destroy(): void {
    for (const { raw } of this.#open.values()) raw.destroy();
  }

  #add(raw: Socket): void {
    const address = raw.remoteAddress;
    // Already closed by the peer.
    if (address === undefined) return void raw.destroy();
    if (this.#open.size >= this.#max) this.#evict();
    const client = this.#clients.get(address) ?? new Client();
    this.#clients.set(address, client);
    client.connections += 1;
    const key = keyOf(raw);
    const connection = new Connection(raw, client);
    this.#open.set(key, connection);
    raw.once('close', () => {
      this.#open.delete(key);
      // Node emits no event for the responses of pipelined requests that had not begun.
      this.#countPipelined(connection, -connection.pipelined);
      client.connections -= 1;
      if (client.connections === 0) this.#clients.delete(address);
    });
  }

  #secured(socket: TLSSocket): void {
    const connection = this.#open.get(keyOf(socket));
    if (connection === undefined) return;
    connection.isTrusted = socket.authorized;
    neverPause(socket);
    this.#secure.set(socket, connection);
  }

  #requested({ socket }: IncomingMessage, response: ServerResponse): void {
    const connection = this.of(socket);
    if (connection === undefined) return;
    connection.requests += 1;
    connection.inFlight += 1;
    const isPipelined = connection.inFlight > 1 && !connection.raw.closed;
    if (isPipelined) this.#countPipelined(connection, 1);
    response.once('close', () => {
      connection.inFlight -= 1;
      if (isPipelined && connection.pipelined > 0) this.#countPipelined(connection, -1);
    });
    if (isPipelined && this.#pipelined > maxPipelined) socket.destroy();
  }

  #countPipelined(connection: Connection, change: number): void {
    connection.pipelined += change;
    this.#pipelined += change;
  }

  #evict(): void {
    let worst: Connection | undefined;
    let most = 0;
    for (const connection of this.#open.values()) {
      const weight = weightOf(connection);
      if (weight <= most) continue;
      worst = connection;
      most = weight;
    }
    if (worst === undefined) return;
    worst.raw.destroy();
    this.#onEvicted();
  }
}

/** Connections of the address with most connections go first, and among those the least active one; of equal ones the oldest. */
function weightOf({ client, opened, requests, inFlight, isTrusted }: Connection): number {
  if (isTrusted) return client.connections / 1_000;
  if (inFlight > 0 || performance.now() - opened < grace) return client.connections;
  return client.connections * (requests === 0 ? 4 : 2);
}

function keyOf({ remoteAddress, remotePort }: Socket): string {
  return `${remoteAddress} ${remotePort}`;
}

/**
 * When much data waits to be written, Node pauses the HTTP parser of a connection, but TLS keeps passing decrypted data to it: an error
 * (HPE_PAUSED), and a reset in the middle of valid pipelined requests. The byte budget and `maxPipelined` already limit what waits, so Node
 * need not pause.
 */
function neverPause(socket: TLSSocket): void {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- Node has an option for it, but not for the sockets of a TLS server
  const { _writableState: state } = socket as unknown as { _writableState: { highWaterMark: number } };
  state.highWaterMark = 2 ** 30;
}
