/** Exponential back-off with jitter, never shorter than the server's Retry-After. */

/** Milliseconds. */
export interface BackoffBounds {
  readonly minDelay: number;
  readonly maxDelay: number;
}

/** Caps Retry-After: a controller that is silent for ten minutes would look broken. */
const maxRetryAfter = 60_000;

export class Backoff {
  readonly #bounds: BackoffBounds;
  #current: number;

  constructor(bounds: BackoffBounds) {
    this.#bounds = bounds;
    this.#current = bounds.minDelay;
  }

  /**
   * Milliseconds to wait: the current step plus up to half of it at random. The step doubles up to `maxDelay`.
   *
   * @param retryAfter the server's Retry-After, in milliseconds
   */
  next(retryAfter: number | null = null): number {
    const step = this.#current;
    this.#current = Math.min(step * 2, this.#bounds.maxDelay);
    const wait = Math.max(step, Math.min(retryAfter ?? 0, maxRetryAfter));
    return wait + (Math.random() * step) / 2;
  }

  /** Call this after a success: the next wait starts at `minDelay` again. */
  reset(): void {
    this.#current = this.#bounds.minDelay;
  }
}
