/** Informers: what is known of a resource, kept up to date by a list and a watch that always come back. */
import type { KubernetesObject } from '@kubernetes/client-node';

import type { Cluster } from './connection.ts';
import { Reflector, type ResourceOptions } from './reflector.ts';
import { Handler, type HandlerOptions } from './watch-handler.ts';

export type { WatchEvent } from './object-store.ts';

export interface ResourceWatch<T> {
  /** Resolves when the first list is complete; rejects with a WatchClosedError when the watch is closed first. */
  readonly synced: Promise<void>;
  /** True once the first list is complete. `age` tells how fresh it is. */
  readonly isSynced: boolean;
  list(): readonly T[];
  /** @param key `namespace/name`, or `name` for cluster-scoped objects */
  get(key: string): T | undefined;
  /** Milliseconds since the server last sent an event, a bookmark or a page of a list. */
  age(): number;
  /** Resolves when the connection is closed; nothing is reported after the call. */
  close(): Promise<void>;
}

export type WatchOptions<T extends KubernetesObject> = ResourceOptions & HandlerOptions<T>;

export class WatchClosedError extends Error {
  readonly code = 'WATCH_CLOSED';
}

export function watchResource<T extends KubernetesObject>(cluster: Cluster, options: WatchOptions<T>): ResourceWatch<T> {
  return new SharedWatch<T>(cluster, options).follow(options);
}

interface SharedWatchEvents {
  /** Told of each error once, however many handlers there are. */
  readonly onError?: (error: unknown) => void;
  /** Called when the last handler is closed. */
  readonly onClosed?: () => void;
}

/** As a shared informer of client-go: one list and one watch for several handlers. It begins with the first, and ends with the last. */
export class SharedWatch<T extends KubernetesObject> {
  readonly #handlers = new Set<Handler<T>>();
  readonly #closing = new AbortController();
  readonly #path: string;
  readonly #onError: (error: unknown) => void;
  readonly #onClosed: () => void;
  readonly #reflector: Reflector<T>;
  #ended: Promise<void> | null = null;
  #lastActivity = performance.now();

  constructor(cluster: Cluster, options: ResourceOptions, { onError = () => {}, onClosed = () => {} }: SharedWatchEvents = {}) {
    this.#path = options.path;
    this.#onError = onError;
    this.#onClosed = onClosed;
    this.#reflector = new Reflector(cluster, options, {
      handlers: this.#handlers,
      onActivity: () => {
        this.#lastActivity = performance.now();
      },
      onError: (error) => {
        onError(error);
        for (const handler of this.#handlers) handler.report(error);
      },
      signal: this.#closing.signal,
    });
  }

  /** Whether its last handler was closed: it takes no other one. */
  get isClosed(): boolean {
    return this.#closing.signal.aborted;
  }

  /** Milliseconds, as of `ResourceWatch`. */
  age(): number {
    return performance.now() - this.#lastActivity;
  }

  /** A handler that comes late makes the resource be listed again, since raw objects are not kept. */
  follow(options: HandlerOptions<T>): ResourceWatch<T> {
    if (this.isClosed) throw new WatchClosedError(`the watch of ${this.#path} is closed`);
    const handler = new Handler<T>(options, this.#onError);
    this.#handlers.add(handler);
    if (this.#ended === null) this.#ended = this.#reflector.run();
    else this.#reflector.listAgain();
    return {
      synced: handler.synced,
      get isSynced() {
        return handler.isSynced;
      },
      list: () => handler.list(),
      get: (key) => handler.get(key),
      age: () => this.age(),
      close: () => this.#close(handler),
    };
  }

  async #close(handler: Handler<T>): Promise<void> {
    this.#handlers.delete(handler);
    handler.close(new WatchClosedError(`the watch of ${this.#path} was closed before its first list was complete`));
    if (this.#handlers.size > 0) return;
    this.#closing.abort();
    this.#onClosed();
    await this.#ended;
  }
}
