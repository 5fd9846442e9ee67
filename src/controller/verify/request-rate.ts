/** At most so many requests a second to a registry, and a burst of those that were not made. */
import { setTimeout as sleep } from 'node:timers/promises';

export interface RateBounds {
  readonly perSecond: number;
  /** Requests at once after a pause. */
  readonly burst: number;
}

/** A token bucket (https://pkg.go.dev/k8s.io/client-go/util/flowcontrol, NewTokenBucketRateLimiter). */
export class RequestRate {
  readonly #bounds: RateBounds;
  readonly #now: () => number;
  #tokens: number;
  #filledAt: number;

  /** @param now in milliseconds, on a clock that never goes back */
  constructor(bounds: RateBounds, now: () => number = () => performance.now()) {
    this.#bounds = bounds;
    this.#now = now;
    this.#tokens = bounds.burst;
    this.#filledAt = now();
  }

  /** Resolves when a request may be made, which is counted; rejects when the signal is aborted first. */
  async turn(signal: AbortSignal): Promise<void> {
    for (;;) {
      const delay = this.take();
      if (delay === 0) return;
      await sleep(delay, undefined, { signal });
    }
  }

  /** 0 when a request may be made now, and is counted; else the milliseconds until one may. */
  take(): number {
    const now = this.#now();
    const { perSecond, burst } = this.#bounds;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    if (this.#tokens < 1) return Math.ceil(((1 - this.#tokens) / perSecond) * 1000);
    this.#tokens -= 1;
    return 0;
  }
}
