/** Carries out the steps of a plan: a few at a time, never two for one key, and each key rests after its step until it makes sense to look again. */

/** What follows a step. */
export interface Rest {
  /** Milliseconds for which the key is left alone. */
  readonly delay: number;
  /** The resourceVersion whose sight in the watch ends the rest early, empty for the sight that it is gone; null when only time ends it. */
  readonly echo: string | null;
  /** Milliseconds for which nothing at all is started, because the API server cannot be reached or asked for it. */
  readonly pause?: number;
}

export interface StepQueueOptions<Step> {
  readonly limit: number;
  /** Must not reject. */
  readonly run: (key: string, step: Step) => Promise<Rest>;
  /** Whether the watch has seen the key as it was written: it may be faster than the answer to the write. */
  readonly hasSeen: (key: string, echo: string) => boolean;
  /** A key that rested may be planned again. */
  readonly onRested: () => void;
}

export class StepQueue<Step> {
  readonly #options: StepQueueOptions<Step>;
  readonly #active = new Map<string, Promise<void>>();
  readonly #resting = new Map<string, { readonly timer: NodeJS.Timeout; readonly echo: string | null }>();
  #waiting = new Map<string, Step>();
  #pause: NodeJS.Timeout | undefined;
  #isStopped = false;

  constructor(options: StepQueueOptions<Step>) {
    this.#options = options;
  }

  /** Replaces what has not been started: a newer plan knows better. What is not in it any more need not rest for it. */
  replace(steps: ReadonlyMap<string, Step>): void {
    for (const [key, { timer }] of this.#resting) {
      if (steps.has(key)) continue;
      clearTimeout(timer);
      this.#resting.delete(key);
    }
    // A key that is busy is planned anew when it has rested: a plan of before its step would repeat the step.
    this.#waiting = new Map([...steps].filter(([key]) => !this.#active.has(key) && !this.#resting.has(key)));
    this.#startNext();
  }

  /** The watch tells of the key. @param isGone it is deleted, whatever was waited for */
  look(key: string, isGone: boolean): void {
    const rest = this.#resting.get(key);
    if (rest === undefined || rest.echo === null) return;
    if (isGone || this.#options.hasSeen(key, rest.echo)) this.#endRest(key);
  }

  /** Resolves when nothing is in flight. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    clearTimeout(this.#pause);
    for (const { timer } of this.#resting.values()) clearTimeout(timer);
    this.#resting.clear();
    await Promise.all(this.#active.values());
  }

  #startNext(): void {
    if (this.#isStopped || this.#pause !== undefined) return;
    for (const [key, step] of this.#waiting) {
      if (this.#active.size >= this.#options.limit) return;
      this.#waiting.delete(key);
      this.#active.set(key, this.#carryOut(key, step));
    }
  }

  async #carryOut(key: string, step: Step): Promise<void> {
    const { delay, echo, pause } = await this.#options.run(key, step);
    this.#active.delete(key);
    if (this.#isStopped) return;
    if (echo !== null && this.#options.hasSeen(key, echo)) this.#options.onRested();
    else this.#resting.set(key, { echo, timer: setTimeout(() => this.#endRest(key), delay) });
    if (pause !== undefined) this.#pauseAll(pause);
    this.#startNext();
  }

  #pauseAll(delay: number): void {
    clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = undefined;
      this.#startNext();
    }, delay);
  }

  #endRest(key: string): void {
    clearTimeout(this.#resting.get(key)?.timer);
    this.#resting.delete(key);
    this.#options.onRested();
  }
}
