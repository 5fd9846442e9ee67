/**
 * Copies that the policy no longer wants. Pods that were admitted with them still reference them, and webhooks that have not loaded the new
 * policy yet still add them to new pods. So a copy is kept for a period in any case, and then until no pod references it.
 */
import { Backoff, type BackoffBounds } from '../../cluster/backoff.ts';

/** Maximum time between two checks of the pods, in milliseconds. */
const maxInterval = 10 * 60_000;

interface RetainedCopy {
  /** On the monotonic clock: time of the next check. */
  checkAt: number;
  isNamed: boolean;
  readonly backoff: Backoff;
}

export type RetentionDecision =
  | { readonly result: 'retained'; readonly delay: number; readonly isNewlyNamed: boolean }
  | { readonly result: 'released' };

export class Retention {
  readonly #copies = new Map<string, RetainedCopy>();
  readonly #period: number;
  readonly #bounds: BackoffBounds;
  readonly #now: () => number;

  /**
   * @param period milliseconds for which a copy is kept in any case
   * @param now monotonic clock, in milliseconds
   */
  constructor(period: number, now: () => number = () => performance.now()) {
    this.#period = period;
    this.#now = now;
    this.#bounds = { minDelay: Math.max(period, 1_000), maxDelay: Math.max(period, maxInterval) };
  }

  /**
   * @param isNamed whether a pod references the Secret; not called before the period is over
   * @throws what `isNamed` throws
   */
  async decide(key: string, isNamed: () => Promise<boolean>): Promise<RetentionDecision> {
    const copy = this.#copies.get(key) ?? this.#begin(key);
    const rest = copy.checkAt - this.#now();
    if (rest > 0) return { result: 'retained', delay: rest, isNewlyNamed: false };
    if (!(await isNamed())) return { result: 'released' };
    const isNewlyNamed = !copy.isNamed;
    copy.isNamed = true;
    const delay = copy.backoff.next();
    copy.checkAt = this.#now() + delay;
    return { result: 'retained', delay, isNewlyNamed };
  }

  has(key: string): boolean {
    return this.#copies.has(key);
  }

  forget(key: string): void {
    this.#copies.delete(key);
  }

  /** Forgets copies that are wanted again or do not exist any more. */
  retain(isStillUnwanted: (key: string) => boolean): void {
    for (const key of this.#copies.keys()) if (!isStillUnwanted(key)) this.#copies.delete(key);
  }

  #begin(key: string): RetainedCopy {
    const copy = { checkAt: this.#now() + this.#period, isNamed: false, backoff: new Backoff(this.#bounds) };
    this.#copies.set(key, copy);
    return copy;
  }
}
