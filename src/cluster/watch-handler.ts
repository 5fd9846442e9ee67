/** One handler of a watch: what it keeps of the objects, and the events that it is told. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { ObjectStore, type WatchEvent } from './object-store.ts';
import type { RawWatchEvent } from './watch-stream.ts';

/** What one handler keeps of the objects, and is told of them. */
export interface HandlerOptions<T extends KubernetesObject> {
  /** Exceptions and rejections go to `onError`; the watch continues. Objects are as in JSON: times are strings. */
  readonly onEvent: (event: WatchEvent<T>) => void;
  readonly onError?: (error: unknown) => void;
  /** Selects what to keep and report of an object: a copy without unused fields. It must keep metadata.name and metadata.namespace. */
  readonly project?: (object: T) => T;
}

export class Handler<T extends KubernetesObject> {
  readonly synced: Promise<void>;
  readonly #options: HandlerOptions<T>;
  readonly #store: ObjectStore<T>;
  readonly #onException: (error: unknown) => void;
  readonly #first = Promise.withResolvers<void>();
  #isSynced = false;
  #isClosed = false;

  /** @param onException told of what `onEvent` throws, before its own `onError` */
  constructor(options: HandlerOptions<T>, onException: (error: unknown) => void) {
    this.#options = options;
    this.#onException = onException;
    this.#store = new ObjectStore<T>(options.project ?? ((object) => object));
    this.synced = this.#first.promise;
    // Not every caller awaits it; those who do still get the rejection.
    this.synced.catch(() => {});
  }

  /** True once the first list is complete. */
  get isSynced(): boolean {
    return this.#isSynced;
  }

  list(): readonly T[] {
    return [...this.#store.objects.values()];
  }

  get(key: string): T | undefined {
    return this.#store.objects.get(key);
  }

  /** An object of a list. */
  put(object: T): void {
    this.emit(this.#store.put(object));
  }

  /** The end of a list. @param present the keys in it */
  complete(present: ReadonlySet<string>): void {
    for (const key of this.#store.objects.keys()) if (!present.has(key)) this.emit(this.#store.remove(key));
    this.#isSynced = true;
    this.#first.resolve();
    this.emit({ type: 'synced' });
  }

  /** An event of a watch; what it changes is to be emitted. As `take` of ObjectStore. */
  take(event: RawWatchEvent<T>, since: string): WatchEvent<T> | null {
    return this.#store.take(event, since);
  }

  emit(event: WatchEvent<T> | null): void {
    if (event === null || this.#isClosed) return;
    try {
      const result: unknown = this.#options.onEvent(event);
      // The type also admits an async function; its rejection would end the process.
      if (result instanceof Promise) result.catch((error: unknown) => this.#failed(error));
    } catch (error) {
      this.#failed(error);
    }
  }

  report(error: unknown): void {
    try {
      this.#options.onError?.(error);
    } catch {
      // An error thrown by the error handler cannot be reported, and must not end the watch.
    }
  }

  #failed(error: unknown): void {
    this.#onException(error);
    this.report(error);
  }

  /** Nothing is emitted from now on. */
  close(reason: Error): void {
    this.#isClosed = true;
    this.#first.reject(reason);
  }
}
