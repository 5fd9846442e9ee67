/**
 * An informer that recovers from every failure of the server or the network: it lists, watches, and then continues the watch or lists
 * again.
 *
 * There is no list of recoverable errors: every error is reported and followed by a retry after a back-off. Errors only differ in whether
 * the retry lists again.
 */
import type { KubernetesObject } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';

import { ApiError, retryAfterOf } from './api-error.ts';
import { Backoff, type BackoffBounds } from './backoff.ts';
import type { Cluster } from './connection.ts';
import { listPages } from './list-pages.ts';
import { type WatchEvent, HistoryError, isOlder, keyOf, ObjectStore, versionOf } from './object-store.ts';
import { IdleTimeoutError, startIdleTimeout } from './idle-timeout.ts';
import { watchEvents, WatchLineError } from './watch-stream.ts';

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

export interface WatchOptions<T extends KubernetesObject> {
  /** `/api/v1/namespaces`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  /** Exceptions and rejections go to `onError`; the watch continues. Objects are as in JSON: times are strings. */
  readonly onEvent: (event: WatchEvent<T>) => void;
  readonly onError?: (error: unknown) => void;
  /** Selects what to keep and report of an object: a copy without unused fields. It must keep metadata.name and metadata.namespace. */
  readonly project?: (object: T) => T;
  readonly pageSize?: number;
  readonly backoff?: BackoffBounds;
  /** Milliseconds without any data after which the connection is closed. */
  readonly idleTimeoutMs?: number;
}

export class WatchClosedError extends Error {
  readonly code = 'WATCH_CLOSED';
}

const defaultPageSize = 500;
const defaultBackoff: BackoffBounds = { minDelay: 1000, maxDelay: 30_000 };
/** The API server sends a bookmark about once a minute. https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/956-watch-bookmark */
const defaultIdleTimeout = 180_000;
/** In seconds. The actual timeout is between once and twice this, as in client-go, so that clients do not all reconnect at once. */
const watchTimeout = 300;

export function watchResource<T extends KubernetesObject>(cluster: Cluster, options: WatchOptions<T>): ResourceWatch<T> {
  const closing = new AbortController();
  const store = new ObjectStore<T>(options.project ?? ((object) => object));
  const { promise: synced, resolve, reject } = Promise.withResolvers<void>();
  // Not every caller awaits it; those who do still get the rejection.
  synced.catch(() => {});
  let isSynced = false;
  let lastActivity = performance.now();

  const onActivity = (): void => {
    lastActivity = performance.now();
  };
  const loop = new WatchLoop(cluster, options, {
    store,
    onActivity,
    signal: closing.signal,
    synced: () => {
      isSynced = true;
      resolve();
    },
  });
  const ended = loop.run();
  return {
    synced,
    get isSynced() {
      return isSynced;
    },
    list: () => [...store.objects.values()],
    get: (key) => store.objects.get(key),
    age: () => performance.now() - lastActivity,
    close: async () => {
      closing.abort();
      reject(new WatchClosedError(`the watch of ${options.path} was closed before its first list was complete`));
      await ended;
    },
  };
}

interface LoopContext<T extends KubernetesObject> {
  readonly store: ObjectStore<T>;
  readonly signal: AbortSignal;
  readonly onActivity: () => void;
  readonly synced: () => void;
}

class WatchLoop<T extends KubernetesObject> {
  readonly #cluster: Cluster;
  readonly #options: WatchOptions<T>;
  readonly #context: LoopContext<T>;
  readonly #backoff: Backoff;
  /** The version that the next watch continues from; null when it must list first. */
  #version: string | null = null;

  constructor(cluster: Cluster, options: WatchOptions<T>, context: LoopContext<T>) {
    this.#cluster = cluster;
    this.#options = options;
    this.#context = context;
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#context;
    while (!signal.aborted) {
      const error = await this.#listAndWatch();
      if (signal.aborted) return;
      if (error !== null) this.#report(error);
      await sleep(this.#backoff.next(retryAfterOf(error)), undefined, { signal }).catch(() => {});
    }
  }

  /** Resolves to the reason for the end, null when the server ended the watch normally. */
  async #listAndWatch(): Promise<unknown> {
    const idleTimeout = startIdleTimeout(this.#options.idleTimeoutMs ?? defaultIdleTimeout, this.#context.signal);
    const onActivity = (): void => {
      idleTimeout.refresh();
      this.#context.onActivity();
    };
    const stream = { isOpen: false };
    try {
      this.#version ??= await this.#list(idleTimeout.signal, onActivity);
      await this.#watch(this.#version, {
        signal: idleTimeout.signal,
        onActivity: () => {
          stream.isOpen = true;
          onActivity();
        },
      });
      return null;
    } catch (thrown) {
      // The timeout's reason, however undici wrapped the abort.
      const reason: unknown = idleTimeout.signal.reason;
      const error = reason instanceof IdleTimeoutError ? reason : thrown;
      if (!keepsPlace(error, stream.isOpen)) this.#version = null;
      return error;
    } finally {
      idleTimeout.stop();
    }
  }

  /** Resolves to the resourceVersion of the list. */
  async #list(signal: AbortSignal, onActivity: () => void): Promise<string> {
    const { path, pageSize = defaultPageSize } = this.#options;
    const { store } = this.#context;
    const present = new Set<string>();
    let version = '';
    for await (const { items, resourceVersion } of listPages<T>(this.#cluster, {
      path,
      query: this.#selectors(),
      pageSize,
      signal,
      onActivity,
    })) {
      version = resourceVersion;
      for (const item of items) {
        present.add(keyOf(item));
        this.#emit(store.put(item));
      }
    }
    for (const key of store.objects.keys()) if (!present.has(key)) this.#emit(store.remove(key));
    this.#context.synced();
    this.#emit({ type: 'synced' });
    return version;
  }

  async #watch(from: string, { signal, onActivity }: { signal: AbortSignal; onActivity: () => void }): Promise<void> {
    const timeoutSeconds = Math.ceil(watchTimeout * (1 + Math.random()));
    const query = { ...this.#selectors(), resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds };
    for await (const event of watchEvents<T>(this.#cluster, { path: this.#options.path, query, signal, onActivity })) {
      if (signal.aborted) return;
      const reached = this.#version ?? from;
      const change = this.#context.store.take(event, reached);
      if (!isOlder(versionOf(event.object), reached)) this.#version = versionOf(event.object);
      this.#backoff.reset();
      this.#emit(change);
    }
  }

  #selectors(): Record<string, string | undefined> {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
  }

  #emit(event: WatchEvent<T> | null): void {
    if (event === null || this.#context.signal.aborted) return;
    try {
      const result: unknown = this.#options.onEvent(event);
      // The type also admits an async function; its rejection would end the process.
      if (result instanceof Promise) result.catch((error: unknown) => this.#report(error));
    } catch (error) {
      this.#report(error);
    }
  }

  #report(error: unknown): void {
    try {
      this.#options.onError?.(error);
    } catch {
      // An error thrown by the error handler cannot be reported, and must not end the watch.
    }
  }
}

/**
 * Whether the retry may continue from the last version: only if an open stream broke, or the server was too busy to open one. A refused
 * connection means a restart, possibly with a restored etcd. An idle stream may be a watch from a version that does not exist yet, for
 * which the server sends nothing. A broken line may have hidden an event.
 */
function keepsPlace(error: unknown, isOpen: boolean): boolean {
  if (error instanceof ApiError) return error.status === 429;
  if (error instanceof IdleTimeoutError || error instanceof WatchLineError || error instanceof HistoryError) return false;
  return isOpen;
}
