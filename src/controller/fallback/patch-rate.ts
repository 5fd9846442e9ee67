/** At most so many patches a second, and one more of what was not used: a registry that is down fails a thousand pods at once. */

export interface RateBounds {
  readonly perSecond: number;
  /** Patches at once after a pause. */
  readonly burst: number;
}

/** A token bucket (https://pkg.go.dev/k8s.io/client-go/util/flowcontrol, NewTokenBucketRateLimiter). */
export class PatchRate {
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

  /** 0 when a patch may be sent now, and is counted; else the milliseconds until one may. */
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
