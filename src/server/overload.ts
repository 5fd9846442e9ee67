/**
 * Saying no while there is still time to say it. A 503 with Retry-After is the one answer that the API server tries again,
 * within the webhook's timeout (kubernetes/client-go, rest/with_retry.go); a slow answer is a failed call.
 */
import { monitorEventLoopDelay } from 'node:perf_hooks';

export interface OverloadLimits {
  /** Requests that have begun and are not answered. */
  readonly maximumInFlight: number;
  /** Milliseconds that a request waits before the server looks at it, on average. */
  readonly maximumLag: number;
}

/** Milliseconds between two looks at that: the guard opens again at most this long after the load is gone. */
const window = 250;

export class OverloadGuard {
  readonly #limits: OverloadLimits;
  /** Each iteration of the loop, and not a timer that is late: nothing has to wake a server that does nothing. */
  readonly #iterations = monitorEventLoopDelay({ samplePerIteration: true });
  /** Since when there are iterations in it, and when it was looked at. */
  #since = performance.now();
  #looked = this.#since;
  #inFlight = 0;
  #lag = 0;

  constructor(limits: OverloadLimits) {
    this.#limits = limits;
    this.#iterations.enable();
  }

  /** Why a new request is turned away, null when it may enter. */
  reason(): string | null {
    if (this.#inFlight >= this.#limits.maximumInFlight) return `${this.#inFlight} requests are in flight`;
    this.#look();
    if (this.#lag > this.#limits.maximumLag) return `the event loop is ${Math.round(this.#lag)} ms late`;
    return null;
  }

  enter(): void {
    this.#inFlight += 1;
  }

  leave(): void {
    this.#inFlight -= 1;
  }

  close(): void {
    this.#iterations.disable();
  }

  #look(): void {
    const now = performance.now();
    if (now - this.#looked < window) return;
    this.#looked = now;
    // The mean is at most half of the longest. What else can be asked of the histogram walks its 34,000 buckets.
    if (this.#iterations.max / 1e6 / 2 <= this.#limits.maximumLag) {
      this.#lag = 0;
      return;
    }
    this.#lag = lagOf(this.#iterations, now - this.#since);
    this.#iterations.reset();
    this.#since = now;
  }
}

/** Of the iterations of an event loop, in nanoseconds. */
export interface Iterations {
  readonly count: number;
  readonly mean: number;
  readonly stddev: number;
}

/**
 * Milliseconds that a request waits before the server looks at it, which comes at any moment of the time: the longer an iteration, the
 * more requests come during it, and each waits for half of it. So one long collection of garbage is no overload.
 *
 * @param elapsed milliseconds in which the iterations were, and in between nothing was to do
 */
export function lagOf({ count, mean, stddev }: Iterations, elapsed: number): number {
  if (count === 0) return 0;
  const squares = count * (mean ** 2 + stddev ** 2);
  return squares / 1e12 / (2 * elapsed);
}
