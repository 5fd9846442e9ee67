/**
 * Objects that another client keeps changing or deleting. The first repairs are immediate, later ones come at growing intervals, so that
 * two programs with different content for an object do not keep the API server busy. New content is never delayed.
 */
import { Backoff, type BackoffBounds } from '../cluster/backoff.ts';

/** Milliseconds. */
const defaultBackoff: BackoffBounds = { minDelay: 1_000, maxDelay: 5 * 60_000 };
/** Milliseconds without a repair after which a dispute is over: longer than a full sync of usual replicators and GitOps controllers. */
const quietPeriod = 15 * 60_000;
/** Consecutive repairs without a delay: a person who tries things out causes fewer. */
const immediateRepairs = 3;
/** Consecutive repairs that count as a dispute. */
const disputedRepairs = 5;

interface WriteHistory {
  /** The last content written: writing it again is a repair. */
  signature: string;
  repairs: number;
  /** Both on the monotonic clock. */
  repairedAt: number;
  nextRepairAt: number;
  readonly backoff: Backoff;
}

export class Disputes {
  readonly #histories = new Map<string, WriteHistory>();
  readonly #backoff: BackoffBounds;
  readonly #now: () => number;

  /** @param now monotonic clock, in milliseconds */
  constructor(backoff: BackoffBounds = defaultBackoff, now: () => number = () => performance.now()) {
    this.#backoff = backoff;
    this.#now = now;
  }

  /** Milliseconds until the object may be written; 0 or less for now. */
  delay(key: string, signature: string): number {
    const history = this.#histories.get(key);
    return history?.signature === signature ? history.nextRepairAt - this.#now() : 0;
  }

  /** Records a write. @returns whether this repair starts a dispute */
  written(key: string, signature: string): boolean {
    const now = this.#now();
    const history = this.#histories.get(key);
    if (history === undefined || history.signature !== signature) {
      const backoff = history?.backoff ?? new Backoff(this.#backoff);
      backoff.reset();
      this.#histories.set(key, { signature, repairs: 0, repairedAt: Number.NEGATIVE_INFINITY, nextRepairAt: now, backoff });
      return false;
    }
    if (now - history.repairedAt > quietPeriod) {
      history.repairs = 0;
      history.backoff.reset();
    }
    history.repairs += 1;
    history.repairedAt = now;
    history.nextRepairAt = now + (history.repairs < immediateRepairs ? 0 : history.backoff.next());
    return history.repairs === disputedRepairs;
  }

  isDisputed(key: string): boolean {
    const history = this.#histories.get(key);
    return history !== undefined && history.repairs >= disputedRepairs && this.#now() - history.repairedAt <= quietPeriod;
  }

  /** Keys of disputed objects. */
  disputed(): string[] {
    return [...this.#histories.keys()].filter((key) => this.isDisputed(key));
  }

  /** Forgets objects that are no longer wanted. */
  retain(isWanted: (key: string) => boolean): void {
    for (const key of this.#histories.keys()) if (!isWanted(key)) this.#histories.delete(key);
  }
}

/** @param writer field manager of the other client, if known */
export const disputeMessage = (object: string, writer: string | undefined): string =>
  `${object} is repeatedly changed or deleted by another client${writer === undefined ? '' : ` (field manager ${writer})`}. It is corrected at growing intervals. Exclude it in the other program.`;

/** For `/readyz`. */
export const disputeProblem = (object: string): string => `${object} is repeatedly changed or deleted by another client`;
