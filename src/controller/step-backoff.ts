/**
 * A write that somebody undoes is repeated, and each repetition in a row comes later. A person who edits an object by hand sees it corrected at once; with
 * a program that writes the same object in a loop there is a write a minute instead of hundreds, one event and a line in `/readyz`.
 */
import { Backoff, type BackoffBounds } from '../cluster/backoff.ts';

const defaultBounds: BackoffBounds = { minimum: 1_000, maximum: 60_000 };
/** Repetitions in a row that make it a dispute. */
const disputeAfter = 3;
/** Milliseconds without a repetition that end the row. GitOps controllers correct what they find every few minutes. */
const quietTime = 600_000;

/** One write to one object. */
export interface Step {
  /** Of the object. */
  readonly key: string;
  /** `create`, `update`, … : each is counted for itself. */
  readonly verb: string;
  /** What is written; something else is another step, and comes at once. */
  readonly content: string;
}

interface Taken {
  readonly content: string;
  readonly backoff: Backoff;
  /** On the monotonic clock. */
  readonly at: number;
  /** Milliseconds that must lie between it and the next. */
  readonly spacing: number;
  readonly repetitions: number;
}

export class StepBackoff {
  readonly #bounds: BackoffBounds;
  readonly #clock: () => number;
  /** By key, then by verb. */
  readonly #taken = new Map<string, Map<string, Taken>>();

  /** @param clock milliseconds that only go forward */
  constructor(bounds: BackoffBounds = defaultBounds, clock: () => number = () => performance.now()) {
    this.#bounds = bounds;
    this.#clock = clock;
  }

  /** Milliseconds to wait before the step; 0 for one that was not taken lately. */
  delay(step: Step): number {
    const last = this.#last(step);
    return last === undefined ? 0 : Math.max(0, last.at + last.spacing - this.#clock());
  }

  /** To be called after each write. @returns whether this one makes it a dispute: the moment for the one event */
  taken(step: Step): boolean {
    const last = this.#last(step);
    const at = this.#clock();
    const isRepetition = last !== undefined && this.#isRecent(last);
    const repetitions = isRepetition ? last.repetitions + 1 : 0;
    const backoff = isRepetition ? last.backoff : new Backoff(this.#bounds);
    const verbs = this.#taken.get(step.key) ?? new Map<string, Taken>();
    this.#taken.set(step.key, verbs.set(step.verb, { content: step.content, backoff, at, spacing: backoff.next(), repetitions }));
    return repetitions === disputeAfter;
  }

  /** Keys of the objects that are in dispute. */
  disputed(): string[] {
    return [...this.#taken].flatMap(([key, verbs]) =>
      [...verbs.values()].some((taken) => taken.repetitions >= disputeAfter && this.#isRecent(taken)) ? [key] : [],
    );
  }

  /** Forgets the keys that are not wanted any more, and rows that are over. */
  retain(isWanted: (key: string) => boolean): void {
    for (const [key, verbs] of this.#taken) {
      if (!isWanted(key) || ![...verbs.values()].some((taken) => this.#isRecent(taken))) this.#taken.delete(key);
    }
  }

  #last({ key, verb, content }: Step): Taken | undefined {
    const last = this.#taken.get(key)?.get(verb);
    return last?.content === content ? last : undefined;
  }

  #isRecent({ at }: Taken): boolean {
    return this.#clock() - at < quietTime;
  }
}
