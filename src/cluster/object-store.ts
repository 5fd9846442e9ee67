/** The objects that a watch has seen. Turns each event or list into changes. */
import type { KubernetesObject } from '@kubernetes/client-node';

import type { RawWatchEvent } from './watch-stream.ts';

export type WatchEvent<T> =
  | { readonly type: 'added'; readonly object: T; readonly previous?: never }
  | { readonly type: 'modified'; readonly object: T; readonly previous: T }
  /** `object` is the last known state; `previous` is the one before it. */
  | { readonly type: 'deleted'; readonly object: T; readonly previous: T }
  /** A list is complete: objects missing from it have been reported as deleted. */
  | { readonly type: 'synced'; readonly object?: never; readonly previous?: never };

export class HistoryError extends Error {
  readonly code = 'WATCH_HISTORY_CHANGED';
}

/** `namespace/name`, or `name` for cluster-scoped objects. */
export function keyOf({ metadata }: KubernetesObject): string {
  const { namespace, name = '' } = metadata ?? {};
  return namespace === undefined ? name : `${namespace}/${name}`;
}

export class ObjectStore<T extends KubernetesObject> {
  readonly objects = new Map<string, T>();
  readonly #project: (object: T) => T;
  /** Resource versions as received: a projection may drop them from the object. */
  readonly #versions = new Map<string, string>();

  constructor(project: (object: T) => T) {
    this.#project = project;
  }

  /** Null when this version is already known. */
  put(object: T): WatchEvent<T> | null {
    const key = keyOf(object);
    const version = versionOf(object);
    if (this.#versions.get(key) === version) return null;
    const kept = this.#project(object);
    const previous = this.objects.get(key);
    this.objects.set(key, kept);
    this.#versions.set(key, version);
    return previous === undefined ? { type: 'added', object: kept } : { type: 'modified', object: kept, previous };
  }

  /** Null when the object is not in the store. @param last its state at deletion, if known */
  remove(key: string, last?: T): WatchEvent<T> | null {
    const previous = this.objects.get(key);
    if (previous === undefined) return null;
    this.objects.delete(key);
    this.#versions.delete(key);
    return { type: 'deleted', object: last === undefined ? previous : this.#project(last), previous };
  }

  /**
   * @param since the version the watch has reached
   * @throws HistoryError when the event is older than `since` and is not a repetition: etcd was restored from a backup, and only a new list
   * shows the current state
   */
  take({ type, object }: RawWatchEvent<T>, since: string): WatchEvent<T> | null {
    if (type === 'BOOKMARK') {
      if (isOlder(versionOf(object), since)) throw new HistoryError('a bookmark is older than the list before it; listing again');
      return null;
    }
    const key = keyOf(object);
    const isRepetition = type === 'DELETED' ? !this.objects.has(key) : this.#versions.get(key) === versionOf(object);
    if (isRepetition) return null;
    if (isOlder(versionOf(object), since)) throw new HistoryError('an event is older than the ones before it; listing again');
    return type === 'DELETED' ? this.remove(key, object) : this.put(object);
  }
}

export const versionOf = ({ metadata }: KubernetesObject): string => metadata?.resourceVersion ?? '';

/**
 * Resource versions of one resource are increasing numbers. https://kubernetes.io/docs/reference/using-api/api-concepts/#resource-versions
 */
export function isOlder(version: string, than: string): boolean {
  return /^\d+$/.test(version) && /^\d+$/.test(than) && BigInt(version) < BigInt(than);
}
