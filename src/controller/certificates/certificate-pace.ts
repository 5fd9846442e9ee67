/** Nothing is written in a loop: a step that was taken and is asked for again, because somebody undid it, comes later each time. */
import { Backoff } from '../../cluster/backoff.ts';
import type { WritingStep } from './certificate-writer.ts';

const bounds = { minimum: 1000, maximum: 60_000 };

interface Taken {
  readonly signature: string;
  readonly backoff: Backoff;
  /** When, on the clock. */
  readonly at: number;
  /** Milliseconds that must lie between it and the next. */
  readonly spacing: number;
}

export class CertificatePace {
  readonly #clock: () => number;
  readonly #taken = new Map<WritingStep['do'], Taken>();

  /** @param clock milliseconds that only go forward */
  constructor(clock: () => number = () => performance.now()) {
    this.#clock = clock;
  }

  /** Milliseconds to wait before the step. */
  pause(step: WritingStep): number {
    const last = this.#same(step);
    return last === undefined ? 0 : Math.max(0, last.at + last.spacing - this.#clock());
  }

  taken(step: WritingStep): void {
    const last = this.#same(step);
    const at = this.#clock();
    // What comes back after a long time is a renewal, or another accident.
    const backoff = last !== undefined && at - last.at < last.spacing * 2 ? last.backoff : new Backoff(bounds);
    this.#taken.set(step.do, { signature: signatureOf(step), backoff, at, spacing: backoff.next() });
  }

  #same(step: WritingStep): Taken | undefined {
    const last = this.#taken.get(step.do);
    return last?.signature === signatureOf(step) ? last : undefined;
  }
}

const signatureOf = (step: WritingStep): string => ('bundle' in step ? step.bundle : step.previous.map(({ id }) => id).join(' '));
