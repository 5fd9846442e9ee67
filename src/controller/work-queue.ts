/**
 * A work queue as client-go has it: what is to be reconciled is a key, and a key that is added many times is reconciled once.
 *
 * For each key: changes are gathered for a while (debounce), never two calls at a time (single flight), a call that failed is repeated after a growing
 * delay with jitter, and one that wrote is repeated as soon as the watch has delivered what it wrote.
 * https://pkg.go.dev/k8s.io/client-go/util/workqueue
 */
import { Backoff, type BackoffBounds } from '../cluster/backoff.ts';

/** What follows a call of `reconcile`. Times are milliseconds. */
export type Requeue =
  /** Nothing until the key is added again. */
  | { readonly result: 'done' }
  /** Reconcile again after the time, or when the key is added. */
  | { readonly result: 'after'; readonly delay: number }
  /** Reconcile again as soon as the watch has delivered this resourceVersion ('' for the deletion), and after `delay` in any case. */
  | { readonly result: 'untilVersion'; readonly version: string; readonly delay: number }
  /** Reconcile again after the time and not before, however often the key is added. */
  | { readonly result: 'notBefore'; readonly delay: number }
  /** It failed: not before a delay that grows with each failure in a row. `retryAfter`: what the API server asked for. */
  | { readonly result: 'failed'; readonly retryAfter?: number | null }
  /** The API server cannot be reached, or asks for fewer requests: nothing of this queue is started before a delay that grows. */
  | { readonly result: 'unavailable'; readonly retryAfter?: number | null };

export const done: Requeue = { result: 'done' };
export const requeueAfter = (delay: number): Requeue => ({ result: 'after', delay });
/** The delay is for a watch that never delivers it. */
export const requeueUntil = (version: string, delay = 5_000): Requeue => ({ result: 'untilVersion', version, delay });

export interface WorkQueueOptions {
  /** What is at the key is brought to what it should be, as far as it is known when this is called. What it throws counts as `failed`. */
  readonly reconcile: (key: string) => Promise<Requeue>;
  /**
   * Whether the watch has delivered this version of the key's object, or a later one ('': that it is gone). Asked when the key is added, and
   * after the call, since the watch may be faster than the answer to the write. Without it only the delay ends such a wait.
   */
  readonly hasObserved?: (key: string, version: string) => boolean;
  /** Keys at a time, 1 without. */
  readonly concurrency?: number;
  /** Milliseconds for which additions are gathered before a key is reconciled, 0 without. */
  readonly debounceMs?: number;
  /** Milliseconds between two calls for one key, 0 without. */
  readonly intervalMs?: number;
  readonly backoff?: BackoffBounds;
  readonly onError?: (key: string, error: unknown) => void;
}

const defaultBackoff: BackoffBounds = { minDelay: 1_000, maxDelay: 60_000 };
const unavailableBackoff: BackoffBounds = { minDelay: 500, maxDelay: 5_000 };

/** The longest that a timer of Node can be set to. */
const maxDelay = 2 ** 31 - 1;

interface Entry {
  /** `idle` only where the interval to the next call has to be kept. */
  state: 'idle' | 'scheduled' | 'ready' | 'active';
  /** Added while it was active. */
  isDirty: boolean;
  /** What it is scheduled for. */
  wait: Wait | null;
  /** On the monotonic clock. */
  startedAt: number;
  readonly backoff: Backoff;
}

interface Wait {
  readonly timer: NodeJS.Timeout;
  /** What brings it forward: nothing, any addition, or one after which this version is observed. */
  readonly ends: 'never' | 'when-added' | { readonly version: string };
}

export class WorkQueue {
  readonly #options: WorkQueueOptions;
  readonly #entries = new Map<string, Entry>();
  /** In the order in which they became ready. */
  readonly #ready = new Set<string>();
  readonly #active = new Map<string, Promise<void>>();
  readonly #unavailable = new Backoff(unavailableBackoff);
  #pause: NodeJS.Timeout | null = null;
  #isStopped = false;

  constructor(options: WorkQueueOptions) {
    this.#options = options;
  }

  /** Something about the key may have changed. */
  add(key: string): void {
    if (this.#isStopped) return;
    const entry = this.#entries.get(key) ?? this.#newEntry(key);
    if (entry.state === 'active') entry.isDirty = true;
    else if (entry.state === 'idle' || (entry.state === 'scheduled' && this.#isEndedByAddition(key, entry)))
      this.#schedule(key, entry, this.#debounce(entry));
  }

  /** Forgets the keys that are not wanted any more, with their delays. A call that is under way ends as it would. */
  retain(isWanted: (key: string) => boolean): void {
    for (const [key, entry] of this.#entries) {
      if (isWanted(key)) continue;
      clearTimeout(entry.wait?.timer);
      this.#ready.delete(key);
      this.#entries.delete(key);
    }
  }

  /** Resolves when no call is under way; none is begun any more. */
  async stop(): Promise<void> {
    this.#isStopped = true;
    this.retain(() => false);
    if (this.#pause !== null) clearTimeout(this.#pause);
    await Promise.all(this.#active.values());
  }

  #newEntry(key: string): Entry {
    const backoff = new Backoff(this.#options.backoff ?? defaultBackoff);
    const entry: Entry = { state: 'idle', isDirty: false, wait: null, startedAt: Number.NEGATIVE_INFINITY, backoff };
    this.#entries.set(key, entry);
    return entry;
  }

  #debounce({ startedAt }: Entry): number {
    const { debounceMs = 0, intervalMs = 0 } = this.#options;
    return Math.max(debounceMs, startedAt + intervalMs - performance.now());
  }

  #isEndedByAddition(key: string, { wait }: Entry): boolean {
    if (wait === null || wait.ends === 'never') return false;
    return wait.ends === 'when-added' || this.#hasObserved(key, wait.ends.version);
  }

  #hasObserved(key: string, version: string): boolean {
    return this.#options.hasObserved?.(key, version) === true;
  }

  #schedule(key: string, entry: Entry, delay: number, ends: Wait['ends'] = 'never'): void {
    clearTimeout(entry.wait?.timer);
    if (delay <= 0) return this.#makeReady(key, entry);
    entry.state = 'scheduled';
    entry.wait = { ends, timer: setTimeout(() => this.#makeReady(key, entry), Math.min(delay, maxDelay)) };
  }

  #makeReady(key: string, entry: Entry): void {
    entry.state = 'ready';
    entry.wait = null;
    this.#ready.add(key);
    this.#startNext();
  }

  #startNext(): void {
    for (const key of this.#ready) {
      if (this.#isStopped || this.#pause !== null || this.#active.size >= (this.#options.concurrency ?? 1)) return;
      const entry = this.#entries.get(key);
      // One that was forgotten while it was active and is wanted again waits for its end.
      if (entry === undefined || this.#active.has(key)) continue;
      this.#ready.delete(key);
      entry.state = 'active';
      entry.startedAt = performance.now();
      this.#active.set(key, this.#run(key, entry));
    }
  }

  async #run(key: string, entry: Entry): Promise<void> {
    const requeue = await this.#reconcile(key, entry);
    this.#active.delete(key);
    if (this.#isStopped) return;
    if (requeue.result === 'unavailable') this.#pauseAll(this.#unavailable.next(requeue.retryAfter));
    else if (requeue.result !== 'failed') this.#unavailable.reset();
    if (this.#entries.get(key) === entry) this.#follow(key, entry, requeue);
    this.#startNext();
  }

  async #reconcile(key: string, entry: Entry): Promise<Requeue> {
    // Whoever adds a key does not run what reconciles it.
    await Promise.resolve();
    if (this.#isStopped) return done;
    entry.isDirty = false;
    try {
      return await this.#options.reconcile(key);
    } catch (error) {
      this.#options.onError?.(key, error);
      return { result: 'failed' };
    }
  }

  #follow(key: string, entry: Entry, requeue: Requeue): void {
    if (requeue.result === 'failed') return this.#schedule(key, entry, entry.backoff.next(requeue.retryAfter));
    if (requeue.result === 'unavailable') return this.#makeReady(key, entry);
    entry.backoff.reset();
    if (requeue.result === 'notBefore') return this.#schedule(key, entry, requeue.delay);
    if (requeue.result === 'untilVersion') {
      // What was added before the write says nothing about what was written.
      if (this.#hasObserved(key, requeue.version)) return this.#schedule(key, entry, this.#debounce(entry));
      return this.#schedule(key, entry, requeue.delay, { version: requeue.version });
    }
    if (entry.isDirty) return this.#schedule(key, entry, this.#debounce(entry));
    if (requeue.result === 'after') return this.#schedule(key, entry, Math.max(1, requeue.delay), 'when-added');
    entry.state = 'idle';
    if (this.#options.intervalMs === undefined) this.#entries.delete(key);
  }

  #pauseAll(delay: number): void {
    if (this.#pause !== null) clearTimeout(this.#pause);
    this.#pause = setTimeout(() => {
      this.#pause = null;
      this.#startNext();
    }, delay);
  }
}
