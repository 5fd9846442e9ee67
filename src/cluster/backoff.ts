/** How long to wait before the next try: longer each time, never the same for two clients, never shorter than the server asks. */

/** Milliseconds. */
export interface BackoffBounds {
  readonly minDelay: number;
  readonly maxDelay: number;
}

/** A server that asks for more than this is asked again anyway: ten minutes of silence would look like a fault of ours. */
const maxRetryAfter = 60_000;

export class Backoff {
  readonly #bounds: BackoffBounds;
  #current: number;

  constructor(bounds: BackoffBounds) {
    this.#bounds = bounds;
    this.#current = bounds.minDelay;
  }

  /**
   * Milliseconds to wait now: between once and one and a half times the step, which doubles up to the maximum.
   *
   * @param retryAfter what the server asked for, in milliseconds
   */
  next(retryAfter: number | null = null): number {
    const step = this.#current;
    this.#current = Math.min(step * 2, this.#bounds.maxDelay);
    const wait = Math.max(step, Math.min(retryAfter ?? 0, maxRetryAfter));
    return wait + (Math.random() * step) / 2;
  }

  /** After something worked: the next wait is the minimum again. */
  reset(): void {
    this.#current = this.#bounds.minDelay;
  }
}
