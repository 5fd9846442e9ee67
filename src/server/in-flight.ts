/** Tracks the requests in flight: their number, age and memory. */
import type { ByteBudget } from './byte-budget.ts';
import type { Connection } from './connections.ts';

/** Why a request is ended before its response. */
export interface Eviction {
  readonly code: 'OVERLOADED' | 'REQUEST_TOO_SLOW';
  readonly detail: string;
}

const evicted: Eviction = { code: 'OVERLOADED', detail: 'the request was ended in favour of others' };
const tooSlow: Eviction = { code: 'REQUEST_TOO_SLOW', detail: 'the request did not arrive in time' };

export class InFlightRequest {
  readonly connection: Connection;
  readonly began = performance.now();
  /** Ends the request at once. */
  readonly end: (why: Eviction) => void;
  bytes = 0;
  /** `waiting`: in the queue for a decision. */
  state: 'receiving' | 'waiting' | 'responding' | 'ended' = 'receiving';

  constructor(connection: Connection, end: (why: Eviction) => void) {
    this.connection = connection;
    this.end = end;
  }
}

export interface InFlightLimits {
  readonly maxInFlight: number;
  /** Milliseconds from the end of the headers to the end of the body, and from there until the client has read the response. */
  readonly requestTimeout: number;
  /** Interval of the check for slow requests, in milliseconds. */
  readonly checkInterval: number;
}

/** In milliseconds. A real client sends a review and reads the response within one; a slower request may be ended for others. */
const grace = 1_000;

export class InFlightRequests {
  readonly budget: ByteBudget;
  readonly #limits: InFlightLimits;
  /** Oldest first. */
  readonly #requests = new Set<InFlightRequest>();
  #timer: NodeJS.Timeout | undefined;

  constructor(budget: ByteBudget, limits: InFlightLimits) {
    this.budget = budget;
    this.#limits = limits;
  }

  get size(): number {
    return this.#requests.size;
  }

  /** False if the limit is reached and no request can be ended. */
  enter(request: InFlightRequest): boolean {
    if (this.#requests.size >= this.#limits.maxInFlight && !this.#evict(request, 'inFlight', 1)) return false;
    this.#requests.add(request);
    request.connection.client.inFlight += 1;
    // Only while there are requests: a timer would wake an idle server.
    this.#timer ??= setTimeout(() => this.#check(), this.#limits.checkInterval).unref();
    return true;
  }

  leave(request: InFlightRequest): void {
    if (!this.#requests.has(request)) return;
    this.hold(request, 0);
    this.#requests.delete(request);
    request.state = 'ended';
    request.connection.client.inFlight -= 1;
  }

  /** Reserves this many bytes for a request; false if they are not available, or if the request has left. */
  hold(request: InFlightRequest, bytes: number): boolean {
    // The body of a request that was ended may go on arriving, and nobody would give back what is reserved then.
    if (!this.#requests.has(request)) return false;
    while (!this.budget.change(request.bytes, bytes)) {
      if (bytes > this.budget.largest || !this.#evict(request, 'bytes', bytes - request.bytes)) return false;
    }
    request.connection.client.bytes += bytes - request.bytes;
    request.bytes = bytes;
    return true;
  }

  close(): void {
    clearTimeout(this.#timer);
  }

  /** Ends the oldest request of the address that uses most, unless that is the new request's own address and the request is not old. */
  #evict(newcomer: InFlightRequest, what: 'inFlight' | 'bytes', wanted: number): boolean {
    let oldest: InFlightRequest | undefined;
    for (const request of this.#requests) {
      if (request === newcomer || (what === 'bytes' && request.bytes === 0)) continue;
      if (oldest === undefined || request.connection.client[what] > oldest.connection.client[what]) oldest = request;
    }
    if (oldest === undefined) return false;
    const usesMore = oldest.connection.client[what] > newcomer.connection.client[what] + wanted;
    if (!usesMore && (oldest.state === 'waiting' || performance.now() - oldest.began < grace)) return false;
    this.#end(oldest, evicted);
    return true;
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    const { requestTimeout, checkInterval } = this.#limits;
    for (const request of this.#requests) {
      // Node tells nothing about a pipelined request that waited for an earlier response when its client went away.
      if (request.connection.raw.destroyed) {
        this.leave(request);
        continue;
      }
      const age = now - request.began;
      if (age < requestTimeout) continue;
      if (request.state === 'receiving' || age > 2 * requestTimeout) this.#end(request, tooSlow);
    }
    if (this.#requests.size > 0) this.#timer = setTimeout(() => this.#check(), checkInterval).unref();
  }

  #end(request: InFlightRequest, why: Eviction): void {
    this.leave(request);
    request.end(why);
  }
}
