/**
 * Lists a resource, watches it, and then continues the watch or lists again, as a reflector of client-go. It recovers from every failure of
 * the server or the network.
 *
 * There is no list of recoverable errors: every error is reported and followed by a retry after a back-off. Errors only differ in whether
 * the retry lists again.
 */
import type { KubernetesObject } from '@kubernetes/client-node';
import { setTimeout as sleep } from 'node:timers/promises';

import { ApiError, retryAfterOf } from './api-error.ts';
import { Backoff, type BackoffBounds } from './backoff.ts';
import type { Cluster } from './connection.ts';
import { IdleTimeoutError, startIdleTimeout } from './idle-timeout.ts';
import { listPages } from './list-pages.ts';
import { HistoryError, isOlder, keyOf, versionOf } from './object-store.ts';
import type { Handler } from './watch-handler.ts';
import { watchEvents, WatchLineError } from './watch-stream.ts';

/** Which objects are listed and watched, and how. */
export interface ResourceOptions {
  /** `/api/v1/namespaces`. */
  readonly path: string;
  readonly labelSelector?: string;
  readonly fieldSelector?: string;
  readonly pageSize?: number;
  readonly backoff?: BackoffBounds;
  /** Milliseconds without any data after which the connection is closed. */
  readonly idleTimeoutMs?: number;
}

const defaultPageSize = 500;
const defaultBackoff: BackoffBounds = { minDelay: 1000, maxDelay: 30_000 };
/** The API server sends a bookmark about once a minute. https://github.com/kubernetes/enhancements/tree/master/keps/sig-api-machinery/956-watch-bookmark */
const defaultIdleTimeout = 180_000;
/** In seconds. The actual timeout is between once and twice this, as in client-go, so that clients do not all reconnect at once. */
const watchTimeout = 300;

export interface ReflectorContext<T extends KubernetesObject> {
  readonly handlers: ReadonlySet<Handler<T>>;
  readonly signal: AbortSignal;
  readonly onActivity: () => void;
  readonly onError: (error: unknown) => void;
}

export class Reflector<T extends KubernetesObject> {
  readonly #cluster: Cluster;
  readonly #options: ResourceOptions;
  readonly #context: ReflectorContext<T>;
  readonly #backoff: Backoff;
  /** The version that the next watch continues from; null when it must list first. */
  #version: string | null = null;
  /** Ends the list or the watch that is in progress. */
  #round = new AbortController();

  constructor(cluster: Cluster, options: ResourceOptions, context: ReflectorContext<T>) {
    this.#cluster = cluster;
    this.#options = options;
    this.#context = context;
    this.#backoff = new Backoff(options.backoff ?? defaultBackoff);
  }

  /** Never rejects. */
  async run(): Promise<void> {
    const { signal } = this.#context;
    // Handlers that are added at the same time need one list.
    await Promise.resolve();
    while (!signal.aborted) {
      const round = new AbortController();
      this.#round = round;
      const error = await this.#listAndWatch(AbortSignal.any([signal, round.signal]));
      if (signal.aborted) return;
      if (round.signal.aborted) {
        this.#version = null;
        continue;
      }
      if (error !== null) this.#context.onError(error);
      await sleep(this.#backoff.next(retryAfterOf(error)), undefined, { signal }).catch(() => {});
    }
  }

  /** At once, or where the last attempt failed, after its back-off. */
  listAgain(): void {
    this.#version = null;
    this.#round.abort();
  }

  /** Resolves to the reason for the end, null when the server ended the watch normally. */
  async #listAndWatch(signal: AbortSignal): Promise<unknown> {
    const idleTimeout = startIdleTimeout(this.#options.idleTimeoutMs ?? defaultIdleTimeout, signal);
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
    const { handlers } = this.#context;
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
        for (const handler of handlers) handler.put(item);
      }
    }
    // A handler that was added during the last page has not seen the others.
    signal.throwIfAborted();
    for (const handler of handlers) handler.complete(present);
    return version;
  }

  async #watch(from: string, { signal, onActivity }: { signal: AbortSignal; onActivity: () => void }): Promise<void> {
    const timeoutSeconds = Math.ceil(watchTimeout * (1 + Math.random()));
    const query = { ...this.#selectors(), resourceVersion: from, allowWatchBookmarks: true, timeoutSeconds };
    for await (const event of watchEvents<T>(this.#cluster, { path: this.#options.path, query, signal, onActivity })) {
      if (signal.aborted) return;
      const reached = this.#version ?? from;
      const changes = [...this.#context.handlers].map((handler) => [handler, handler.take(event, reached)] as const);
      if (!isOlder(versionOf(event.object), reached)) this.#version = versionOf(event.object);
      this.#backoff.reset();
      for (const [handler, change] of changes) handler.emit(change);
    }
  }

  #selectors(): Record<string, string | undefined> {
    const { labelSelector, fieldSelector } = this.#options;
    return { labelSelector, fieldSelector };
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
