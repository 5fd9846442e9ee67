/**
 * A work queue as in client-go: a key that is added several times is reconciled once.
 *
 * For each key: debounce; single flight; retries after a growing delay with jitter; after a write, another call as soon as the watch has
 * delivered it.
 * https://pkg.go.dev/k8s.io/client-go/util/workqueue
 */
import { Backoff, type BackoffBounds } from '../cluster/backoff.ts';

/** Result of a call of `reconcile`. Times are milliseconds. */
export type Requeue =
  /** Nothing until the key is added again. */
  | { readonly result: 'done' }
  /** Reconcile again after the delay, or when the key is added. */
  | { readonly result: 'after'; readonly delay: number }
  /** Reconcile again as soon as the watch has delivered this resourceVersion ('' for a deletion), and after `delay` at the latest. */
  | { readonly result: 'untilVersion'; readonly version: string; readonly delay: number }
  /** Reconcile again after the delay and not before, however often the key is added. */
  | { readonly result: 'notBefore'; readonly delay: number }
  /** The call failed: not before a delay that grows with consecutive failures. `retryAfter` is the API server's Retry-After. */
  | { readonly result: 'failed'; readonly retryAfter?: number | null }
  /** The API server is unreachable or asks for fewer requests: the whole queue pauses for a growing delay. */
  | { readonly result: 'unavailable'; readonly retryAfter?: number | null };

export const done: Requeue = { result: 'done' };
export const requeueAfter = (delay: number): Requeue => ({ result: 'after', delay });
/** The delay covers a watch that never delivers the version. */
export const requeueUntil = (version: string, delay = 5_000): Requeue => ({ result: 'untilVersion', version, delay });

export interface WorkQueueOptions {
  /** Brings the object of the key to its desired state. An exception counts as `failed`. */
  readonly reconcile: (key: string) => Promise<Requeue>;
  /**
   * Whether the watch has delivered this version of the key's object, or a later one ('' for a deletion). Called when the key is added, and
   * after `reconcile`, since the watch may be faster than the response to the write. Without it, only the delay ends such a wait.
   */
  readonly hasObserved?: (key: string, version: string) => boolean;
  /** Keys reconciled concurrently; default 1. */
  readonly concurrency?: number;
  /** Debounce in milliseconds; default 0. */
  readonly debounceMs?: number;
  /** Minimum time between two calls for one key, in milliseconds; default 0. */
  readonly intervalMs?: number;
  readonly backoff?: BackoffBounds;
  readonly onError?: (key: string, error: unknown) => void;
}

const defaultBackoff: BackoffBounds = { minDelay: 1_000, maxDelay: 60_000 };
const unavailableBackoff: BackoffBounds = { minDelay: 500, maxDelay: 5_000 };

/** Maximum delay of a Node timer: one for longer ends at once. */
export const maxTimerDelay = 2 ** 31 - 1;

interface Entry {
  /** `idle` only while the minimum interval to the next call is running. */
  state: 'idle' | 'scheduled' | 'ready' | 'active';
  /** Added while it was active. */
  isDirty: boolean;
  /** When it is scheduled. */
  wait: Wait | null;
  /** On the monotonic clock. */
  startedAt: number;
  readonly backoff: Backoff;
}

interface Wait {
  readonly timer: NodeJS.Timeout;
  /** What brings it forward: nothing, any addition, or an addition after which this version is observed. */
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

  /** Call this when something about the key may have changed. */
  add(key: string): void {
    if (this.#isStopped) return;
    const entry = this.#entries.get(key) ?? this.#newEntry(key);
    if (entry.state === 'active') entry.isDirty = true;
    else if (entry.state === 'idle' || (entry.state === 'scheduled' && this.#isEndedByAddition(key, entry)))
      this.#schedule(key, entry, this.#debounce(entry));
  }

  /** Forgets keys that are no longer wanted, and their delays. A call in progress is not interrupted. */
  retain(isWanted: (key: string) => boolean): void {
    for (const [key, entry] of this.#entries) {
      if (isWanted(key)) continue;
      clearTimeout(entry.wait?.timer);
      this.#ready.delete(key);
      this.#entries.delete(key);
    }
  }

  /** Resolves when no call is in progress; no further call starts. */
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
    entry.wait = { ends, timer: setTimeout(() => this.#makeReady(key, entry), Math.min(delay, maxTimerDelay)) };
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
      // A key that was forgotten while active and is added again waits for the end of that call.
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
    // Never runs `reconcile` inside `add`.
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
      // Additions before the write do not show the result of the write.
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
