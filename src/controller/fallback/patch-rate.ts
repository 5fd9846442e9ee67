/** At most so many pods a second, in the order in which they asked: a registry that is down fails a thousand pods at once. */

import { TokenBucket, type RateBounds } from '../token-bucket.ts';

/** A token bucket with a queue: who waits is called, and does not ask again and again. */
export class PatchRate {
  readonly #bucket: TokenBucket;
  readonly #onTurn: (key: string) => void;
  /** In the order in which they asked. */
  readonly #waiting = new Set<string>();
  /** Called, and have a token each. */
  readonly #called = new Set<string>();
  #timer: NodeJS.Timeout | null = null;

  /** @param onTurn called for a key that waited; it may `take` then. @param now in milliseconds, on a clock that never goes back */
  constructor(bounds: RateBounds, onTurn: (key: string) => void, now?: () => number) {
    this.#bucket = new TokenBucket(bounds, now);
    this.#onTurn = onTurn;
  }

  /** Whether it is the key's turn, which is over then; else the key waits for it. */
  take(key: string): boolean {
    if (this.#called.delete(key)) return true;
    if (this.#waiting.size === 0 && this.#bucket.take() === 0) return true;
    this.#waiting.add(key);
    this.#schedule();
    return false;
  }

  /** The key has no use for its turn: the next one gets it. */
  giveUp(key: string): void {
    this.#waiting.delete(key);
    if (!this.#called.delete(key)) return;
    this.#bucket.giveBack();
    this.#schedule();
  }

  /** Nobody is called any more. */
  stop(): void {
    this.#waiting.clear();
    this.#schedule();
  }

  #schedule(): void {
    if (this.#timer !== null) clearTimeout(this.#timer);
    this.#timer = null;
    if (this.#waiting.size === 0) return;
    this.#timer = setTimeout(() => this.#call(), this.#bucket.delay);
  }

  #call(): void {
    for (const key of this.#waiting) {
      if (this.#bucket.take() > 0) break;
      this.#waiting.delete(key);
      this.#called.add(key);
      this.#onTurn(key);
    }
    this.#schedule();
  }
}
