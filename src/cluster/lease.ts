/**
 * Leader election with a coordination.k8s.io Lease: at most one candidate leads at any time.
 *
 * Clocks of machines differ and jump, so no timestamp in the Lease is ever compared with a clock. A candidate counts the lease duration
 * from when it saw the record change, on its own monotonic clock. The leader counts from before its last successful write, and stops a
 * third of the duration earlier.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import { isConflict, isNotFound } from './api-error.ts';
import type { Cluster } from './connection.ts';
import { type LeaseRecord, LeaseResource } from './lease-resource.ts';

export interface ElectionOptions {
  readonly namespace: string;
  readonly name: string;
  /** Unique to this process, such as the pod's name with a random suffix: two processes with the same identity would both lead. */
  readonly identity: string;
  /** How long candidates wait for a leader that died. */
  readonly leaseSeconds?: number;
  /** Interval at which the leader renews and candidates poll. At most a third of leaseSeconds. */
  readonly renewSeconds?: number;
  readonly onElected: () => void;
  /** Called before another candidate can win, unless the process was suspended. Not called by `release`. The process stays a candidate. */
  readonly onLost: (reason: string) => void;
  /** Failed calls, and exceptions of the two callbacks above. */
  readonly onError?: (error: unknown) => void;
}

export interface Election {
  /** By the clock, not by the last event: false as soon as another candidate may win, even if the process was suspended. */
  readonly isLeader: boolean;
  /** Releases the lease, so that the next candidate need not wait. Resolves when no call is in flight; never rejects. */
  release(): Promise<void>;
}

const defaultLeaseSeconds = 15;
const defaultRenewSeconds = 4;
const tooLate = 'the lease could not be renewed in time';

/** @throws RangeError when renewSeconds leaves no time for a second attempt */
export function electLeader(cluster: Cluster, options: ElectionOptions): Election {
  const { leaseSeconds = defaultLeaseSeconds, renewSeconds = defaultRenewSeconds } = options;
  if (!(renewSeconds > 0 && renewSeconds * 3 <= leaseSeconds)) {
    throw new RangeError(`renewSeconds is ${renewSeconds} and must be above 0 and at most a third of leaseSeconds, ${leaseSeconds}`);
  }
  const candidate = new Candidate(new LeaseResource(cluster, options, leaseSeconds), options, {
    lease: leaseSeconds * 1000,
    renew: renewSeconds * 1000,
  });
  const ended = candidate.run();
  return {
    get isLeader() {
      return candidate.isLeader;
    },
    release: async () => {
      await candidate.release(ended);
    },
  };
}

class Candidate {
  readonly #resource: LeaseResource;
  readonly #options: ElectionOptions;
  /** Milliseconds. */
  readonly #times: { readonly lease: number; readonly renew: number };
  readonly #stopping = new AbortController();
  /** The last record seen, and when it was first seen in this state, on the monotonic clock. */
  #observed: { readonly record: LeaseRecord; readonly since: number } | undefined;
  /** On the monotonic clock; in the past when not leading. */
  #leadsUntil = Number.NEGATIVE_INFINITY;
  #isElected = false;
  /** Whether the Lease may name this process, also when a response was lost. */
  #hasWritten = false;
  #expiry: NodeJS.Timeout | undefined;

  constructor(resource: LeaseResource, options: ElectionOptions, times: { lease: number; renew: number }) {
    this.#resource = resource;
    this.#options = options;
    this.#times = times;
  }

  get isLeader(): boolean {
    return this.#isElected && performance.now() < this.#leadsUntil;
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#stopping;
    while (!signal.aborted) {
      const isDone = await this.#step().catch((error: unknown) => this.#report(error));
      await sleep(this.#pause(isDone === true), undefined, { signal }).catch(() => {});
    }
  }

  async release(ended: Promise<void>): Promise<void> {
    this.#isElected = false;
    this.#stopping.abort();
    clearTimeout(this.#expiry);
    await ended;
    // If this fails, other candidates take over after leaseSeconds.
    if (this.#hasWritten) await this.#resource.giveUp(AbortSignal.timeout(this.#times.renew)).catch(() => {});
  }

  #pause(isDone: boolean): number {
    const { renew } = this.#times;
    // Leaves the leader time for several attempts before it must stop.
    if (this.#isElected) return isDone ? renew : renew / 4;
    // Jitter: candidates that started together would otherwise collide for ever.
    const poll = renew * (0.8 + 0.4 * Math.random());
    const free = this.#untilFree();
    // If the lease expires before the next poll, wait only until then.
    return free > 0 && free < poll ? free + renew * 0.1 * Math.random() : poll;
  }

  /** Milliseconds until the lease may be taken if its holder does not renew it. */
  #untilFree(): number {
    if (this.#observed === undefined) return 0;
    const { record, since } = this.#observed;
    return record.seconds * 1000 - (performance.now() - since);
  }

  /** Resolves to false when the next attempt should come soon. */
  async #step(): Promise<boolean> {
    const signal = AbortSignal.any([this.#stopping.signal, AbortSignal.timeout(this.#times.renew)]);
    const known = this.isLeader ? this.#observed?.record : undefined;
    // Renews without reading first; a 409 means that the record is no longer its own.
    const record = known ?? (await this.#look(signal));
    if (record !== null && !this.#mayTake(record)) {
      this.#lose(`the lease is held by ${record.holder}`);
      return true;
    }
    const before = performance.now();
    this.#hasWritten = true;
    try {
      this.#observe(await this.#resource.write(record, signal));
    } catch (error) {
      // The Lease was deleted: whoever creates it next leads, so this process must not.
      if (isNotFound(error)) this.#lose('the lease was deleted');
      if (!isConflict(error)) throw error;
      await this.#afterConflict(signal);
      return false;
    }
    this.#extend(before);
    return true;
  }

  /** Another write came first, possibly our own with a lost response: read the Lease at once to see who leads. */
  async #afterConflict(signal: AbortSignal): Promise<void> {
    const record = await this.#look(signal);
    if (record !== null && record.holder !== this.#options.identity) this.#lose(`the lease was taken by ${record.holder}`);
  }

  async #look(signal: AbortSignal): Promise<LeaseRecord | null> {
    const record = await this.#resource.read(signal);
    if (record !== null) this.#observe(record);
    return record;
  }

  /** Any write restarts the timer, even one that is old by another clock. */
  #observe(record: LeaseRecord): void {
    const isSame = this.#observed?.record.version === record.version;
    this.#observed = { record, since: isSame && this.#observed !== undefined ? this.#observed.since : performance.now() };
  }

  #mayTake({ holder }: LeaseRecord): boolean {
    if (holder === '' || holder === this.#options.identity) return true;
    return this.#untilFree() <= 0;
  }

  /** @param before when the successful write began: the server's record is not older */
  #extend(before: number): void {
    this.#leadsUntil = before + (this.#times.lease * 2) / 3;
    const left = this.#leadsUntil - performance.now();
    clearTimeout(this.#expiry);
    if (this.#stopping.signal.aborted) return;
    if (left <= 0) return this.#lose(tooLate);
    this.#expiry = setTimeout(() => this.#lose(tooLate), left);
    if (this.#isElected) return;
    this.#isElected = true;
    this.#call(() => this.#options.onElected());
  }

  #lose(reason: string): void {
    clearTimeout(this.#expiry);
    if (!this.#isElected) return;
    this.#isElected = false;
    this.#leadsUntil = Number.NEGATIVE_INFINITY;
    if (this.#stopping.signal.aborted) return;
    this.#call(() => this.#options.onLost(reason));
  }

  #call(callback: () => void): void {
    try {
      callback();
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    if (this.#stopping.signal.aborted) return;
    try {
      this.#options.onError?.(error);
    } catch {
      // An error thrown by the error handler cannot be reported, and must not end the election.
    }
  }
}
