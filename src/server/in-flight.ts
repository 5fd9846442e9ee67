/** The requests that have begun and are not answered: how many, how long, and how much memory they hold. */
import type { ByteBudget } from './byte-budget.ts';
import type { Connection } from './connections.ts';

/** Why a request ends before it is answered. */
export interface Eviction {
  readonly code: 'OVERLOADED' | 'REQUEST_TOO_SLOW';
  readonly detail: string;
}

const toMakeRoom: Eviction = { code: 'OVERLOADED', detail: 'the request was ended to make room for others' };
const tooSlow: Eviction = { code: 'REQUEST_TOO_SLOW', detail: 'the request did not arrive in time' };

export class InFlightRequest {
  readonly connection: Connection;
  readonly began = performance.now();
  /** Ends it at once. */
  readonly end: (why: Eviction) => void;
  bytes = 0;
  /** `waiting` for its turn to be decided. */
  state: 'receiving' | 'waiting' | 'responding' | 'ended' = 'receiving';

  constructor(connection: Connection, end: (why: Eviction) => void) {
    this.connection = connection;
    this.end = end;
  }
}

export interface InFlightLimits {
  readonly maxInFlight: number;
  /** Milliseconds from the end of the headers to the end of the body, and from there until the client has read the answer. */
  readonly requestTimeout: number;
  /** Milliseconds between two looks at what is too slow. */
  readonly checkInterval: number;
}

/** Milliseconds. A genuine client sends a review and reads the response within one; who takes longer makes room for others. */
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

  /** False where there is no room for one more. */
  enter(request: InFlightRequest): boolean {
    if (this.#requests.size >= this.#limits.maxInFlight && !this.#evict(request, 'inFlight', 1)) return false;
    this.#requests.add(request);
    request.connection.client.inFlight += 1;
    // Only while there are requests: a timer would wake an idle server.
    this.#timer ??= setTimeout(() => this.#check(), this.#limits.checkInterval).unref();
    return true;
  }

  leave(request: InFlightRequest): void {
    if (!this.#requests.delete(request)) return;
    request.state = 'ended';
    this.hold(request, 0);
    request.connection.client.inFlight -= 1;
  }

  /** Lets a request hold that many bytes; false where there is no memory left for it. */
  hold(request: InFlightRequest, bytes: number): boolean {
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

  /** Ends the oldest request of the address that uses most, unless that is the newcomer's own and not old. */
  #evict(newcomer: InFlightRequest, what: 'inFlight' | 'bytes', wanted: number): boolean {
    let oldest: InFlightRequest | undefined;
    for (const request of this.#requests) {
      if (request === newcomer || (what === 'bytes' && request.bytes === 0)) continue;
      if (oldest === undefined || request.connection.client[what] > oldest.connection.client[what]) oldest = request;
    }
    if (oldest === undefined) return false;
    const usesMore = oldest.connection.client[what] > newcomer.connection.client[what] + wanted;
    if (!usesMore && (oldest.state === 'waiting' || performance.now() - oldest.began < grace)) return false;
    this.#end(oldest, toMakeRoom);
    return true;
  }

  #check(): void {
    this.#timer = undefined;
    const now = performance.now();
    const { requestTimeout, checkInterval } = this.#limits;
    for (const request of this.#requests) {
      const age = now - request.began;
      if (age < requestTimeout) break;
      if (request.state === 'receiving' || age > 2 * requestTimeout) this.#end(request, tooSlow);
    }
    if (this.#requests.size > 0) this.#timer = setTimeout(() => this.#check(), checkInterval).unref();
  }

  #end(request: InFlightRequest, why: Eviction): void {
    this.leave(request);
    request.end(why);
  }
}
