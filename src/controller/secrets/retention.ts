/**
 * Copies that the policy does not want any more. Pods that were admitted with them still name them, and webhooks that have not read the new
 * policy yet still give their names to new pods. So a copy stays for a while in any case, and then until no pod names it.
 */
import { Backoff, type BackoffBounds } from '../../cluster/backoff.ts';

/** Milliseconds between two looks at the pods, at most. */
const maxInterval = 10 * 60_000;

interface RetainedCopy {
  /** On the monotonic clock: when pods are looked at next. */
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
   * @param period milliseconds for which a copy stays in any case
   * @param now milliseconds of a clock that is never set
   */
  constructor(period: number, now: () => number = () => performance.now()) {
    this.#period = period;
    this.#now = now;
    this.#bounds = { minDelay: Math.max(period, 1_000), maxDelay: Math.max(period, maxInterval) };
  }

  /**
   * @param isNamed asks whether a pod names it; not asked before the period is over
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

  /** Forgets the copies that are wanted again, or gone. */
  retain(isStillUnwanted: (key: string) => boolean): void {
    for (const key of this.#copies.keys()) if (!isStillUnwanted(key)) this.#copies.delete(key);
  }

  #begin(key: string): RetainedCopy {
    const copy = { checkAt: this.#now() + this.#period, isNamed: false, backoff: new Backoff(this.#bounds) };
    this.#copies.set(key, copy);
    return copy;
  }
}
