/** At most so many requests a second to a registry, and a burst of those that were not made. */
import { setTimeout as sleep } from 'node:timers/promises';

import { TokenBucket, type RateBounds } from '../token-bucket.ts';

export class RequestRate {
  readonly #bucket: TokenBucket;

  /** @param now in milliseconds, on a clock that never goes back */
  constructor(bounds: RateBounds, now?: () => number) {
    this.#bucket = new TokenBucket(bounds, now);
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
    return this.#bucket.take();
  }
}
