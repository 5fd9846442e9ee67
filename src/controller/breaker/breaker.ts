/**
 * Whether nodes reach a registry: closed while they do; open while new pods go elsewhere; half-open while new pods try it again, and the first
 * of them decides. https://learn.microsoft.com/azure/architecture/patterns/circuit-breaker
 *
 * Pure: times are arguments, in milliseconds since 1970.
 */
import type { PullFailureCode } from '../../pod/pull-failure.ts';
import type { BreakerOptions } from '../options.ts';

export interface Tripped {
  readonly state: 'open' | 'half-open';
  /** When it opened first. */
  readonly since: number;
  /** Open: when it is tried again. Half-open: since when it is tried. */
  readonly at: number;
  /** From opening until it is tried again. */
  readonly interval: number;
  /** Of the last failure. */
  readonly reason: PullFailureCode;
  /** Pods that failed since then, and before within the window. */
  readonly failures: number;
}

export interface FailedPod {
  readonly uid: string;
  readonly createdAt: number;
  readonly reason: PullFailureCode;
}

export type Transition = 'opened' | 'half-opened' | 'closed';

/** Reasons of reach. An image that is missing, or a password that is wrong, says nothing about other images. */
const reasons: ReadonlySet<PullFailureCode> = new Set(['unreachable', 'unknown-host', 'tls', 'too-many-requests']);

export const isOfReach = (reason: PullFailureCode): boolean => reasons.has(reason);

export const maxInterval = 10 * 60_000;

export class Breaker {
  readonly #options: BreakerOptions;
  /** While it is closed: when each pod failed last, of those within the window. */
  readonly #failed = new Map<string, number>();
  #tripped: Tripped | null;
  #postponedTo: number | null = null;
  /** Of a breaker that closed: one that opens again soon stays open longer. */
  #last: { readonly closedAt: number; readonly interval: number } | null = null;

  /** @param restored of an earlier leader; null for a closed one */
  constructor(options: BreakerOptions, restored: Tripped | null = null) {
    this.#options = options;
    this.#tripped = restored;
  }

  /**
   * No time is later than the clock allows: it may have gone back, and the text that was restored may be somebody else's. Else the breaker would
   * stay as it is until that time comes.
   */
  keepTo(now: number): void {
    if (this.#last !== null && this.#last.closedAt > now) this.#last = { ...this.#last, closedAt: now };
    if (this.#tripped === null) return;
    const { state, since, at } = this.#tripped;
    const interval = Math.min(this.#tripped.interval, Math.max(maxInterval, this.#options.interval));
    const latest = state === 'open' ? now + interval : now;
    if (this.#postponedTo !== null) this.#postponedTo = Math.min(this.#postponedTo, latest);
    if (since <= now && at <= latest && interval === this.#tripped.interval) return;
    this.#tripped = { ...this.#tripped, since: Math.min(since, now), at: Math.min(at, latest), interval };
  }

  /** When it is to be tried again; null where it is not open. */
  get dueAt(): number | null {
    return this.#tripped?.state === 'open' ? (this.#postponedTo ?? this.#tripped.at) : null;
  }

  /** Null while it is closed. */
  get tripped(): Tripped | null {
    return this.#tripped;
  }

  fail(pod: FailedPod, now: number): Transition | null {
    this.keepTo(now);
    const tripped = this.#tripped;
    if (tripped === null) return this.#failClosed(pod, now);
    if (tripped.state === 'open' || !wasCreatedSince(pod.createdAt, tripped.at)) return null;
    const interval = longer(tripped.interval);
    this.#tripped = { ...tripped, state: 'open', at: now + interval, interval, reason: pod.reason, failures: tripped.failures + 1 };
    return 'opened';
  }

  /** A container of a pod runs, or ran, with an image of the registry. */
  succeed(createdAt: number, now: number): Transition | null {
    this.keepTo(now);
    const tripped = this.#tripped;
    if (tripped?.state !== 'half-open' || !wasCreatedSince(createdAt, tripped.at)) return null;
    this.#last = { closedAt: now, interval: tripped.interval };
    this.#tripped = null;
    return 'closed';
  }

  /** New pods try it from now on. */
  tryAgain(now: number): Transition | null {
    if (this.#tripped?.state !== 'open') return null;
    this.#tripped = { ...this.#tripped, state: 'half-open', at: now };
    this.#postponedTo = null;
    return 'half-opened';
  }

  /** The controller asks it first. Not a part of the state, which would be written each time. */
  postpone(now: number): void {
    if (this.#tripped?.state === 'open') this.#postponedTo = now + this.#tripped.interval;
  }

  #failClosed({ uid, reason }: FailedPod, now: number): Transition | null {
    const { pods, window, interval: first } = this.#options;
    for (const [known, at] of this.#failed) if (at > now || now - at > window) this.#failed.delete(known);
    this.#failed.set(uid, now);
    if (this.#failed.size < pods) return null;
    const isAgain = this.#last !== null && now - this.#last.closedAt < maxInterval;
    const interval = this.#last !== null && isAgain ? longer(this.#last.interval) : first;
    this.#tripped = { state: 'open', since: now, at: now + interval, interval, reason, failures: this.#failed.size };
    this.#failed.clear();
    return 'opened';
  }
}

const longer = (interval: number): number => Math.min(interval * 2, Math.max(interval, maxInterval));

/** The API server stores the time of a creation in whole seconds. */
const wasCreatedSince = (createdAt: number, since: number): boolean => createdAt >= Math.floor(since / 1000) * 1000;
