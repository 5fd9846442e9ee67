/** A token bucket (https://pkg.go.dev/k8s.io/client-go/util/flowcontrol, NewTokenBucketRateLimiter). */

export interface RateBounds {
  readonly perSecond: number;
  /** Tokens at once after a pause. */
  readonly burst: number;
}

export class TokenBucket {
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

  /** Milliseconds until a token may be taken; 0 for now. */
  get delay(): number {
    const now = this.#now();
    const { perSecond, burst } = this.#bounds;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
    return this.#tokens >= 1 ? 0 : Math.ceil(((1 - this.#tokens) / perSecond) * 1000);
  }

  /** 0 when a token was taken; else the milliseconds until one may be. */
  take(): number {
    const { delay } = this;
    if (delay === 0) this.#tokens -= 1;
    return delay;
  }

  giveBack(): void {
    this.#tokens = Math.min(this.#bounds.burst, this.#tokens + 1);
  }
}
