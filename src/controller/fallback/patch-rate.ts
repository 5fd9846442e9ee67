/** At most so many pods a second, in the order in which they asked: a registry that is down fails a thousand pods at once. */

export interface RateBounds {
  readonly perSecond: number;
  /** Pods at once after a pause. */
  readonly burst: number;
}

/** A token bucket (https://pkg.go.dev/k8s.io/client-go/util/flowcontrol, NewTokenBucketRateLimiter) with a queue: who waits is called, and does not ask again and again. */
export class PatchRate {
  readonly #bounds: RateBounds;
  readonly #onTurn: (key: string) => void;
  readonly #now: () => number;
  /** In the order in which they asked. */
  readonly #waiting = new Set<string>();
  /** Called, and have a token each. */
  readonly #called = new Set<string>();
  #tokens: number;
  #filledAt: number;
  #timer: NodeJS.Timeout | null = null;

  /** @param onTurn called for a key that waited; it may `take` then. @param now in milliseconds, on a clock that never goes back */
  constructor(bounds: RateBounds, onTurn: (key: string) => void, now: () => number = () => performance.now()) {
    this.#bounds = bounds;
    this.#onTurn = onTurn;
    this.#now = now;
    this.#tokens = bounds.burst;
    this.#filledAt = now();
  }

  /** Whether it is the key's turn, which is over then; else the key waits for it. */
  take(key: string): boolean {
    if (this.#called.delete(key)) return true;
    this.#fill();
    if (this.#waiting.size === 0 && this.#tokens >= 1) {
      this.#tokens -= 1;
      return true;
    }
    this.#waiting.add(key);
    this.#schedule();
    return false;
  }

  /** The key has no use for its turn: the next one gets it. */
  giveUp(key: string): void {
    this.#waiting.delete(key);
    if (!this.#called.delete(key)) return;
    this.#tokens = Math.min(this.#bounds.burst, this.#tokens + 1);
    this.#schedule();
  }

  /** Nobody is called any more. */
  stop(): void {
    this.#waiting.clear();
    this.#schedule();
  }

  #fill(): void {
    const now = this.#now();
    const { perSecond, burst } = this.#bounds;
    this.#tokens = Math.min(burst, this.#tokens + ((now - this.#filledAt) / 1000) * perSecond);
    this.#filledAt = now;
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting.size === 0) return;
    const delay = Math.max(0, ((1 - this.#tokens) / this.#bounds.perSecond) * 1000);
    this.#timer = setTimeout(() => this.#call(), Math.ceil(delay));
  }

  #call(): void {
    this.#fill();
    for (const key of this.#waiting) {
      if (this.#tokens < 1) break;
      this.#tokens -= 1;
      this.#waiting.delete(key);
      this.#called.add(key);
      this.#onTurn(key);
    }
    this.#schedule();
  }
}
