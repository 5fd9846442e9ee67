/** The watches of the controller, with metrics for their age and their errors; errors are logged. */
import type { KubernetesObject } from '@kubernetes/client-node';
import type { Logger } from 'pino';

import { describeError } from '../cluster/api-error.ts';
import type { Cluster } from '../cluster/connection.ts';
import { isOlder, versionOf } from '../cluster/object-store.ts';
import { SharedWatch, type ResourceWatch, type WatchOptions } from '../cluster/watch.ts';
import type { ControllerMetrics } from './metrics.ts';
import type { ReconcilerContext } from './reconciler.ts';

interface ObservedContext {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
}

interface ObservedWatch<T extends KubernetesObject> {
  readonly watch: SharedWatch<T>;
  readonly stopReading: () => void;
}

/** As a shared informer factory of client-go: those who follow the same objects share one list and one watch. */
export class ObservedWatches {
  readonly #context: ObservedContext;
  /** By name and by what is watched. */
  readonly #open = new Map<string, unknown>();

  constructor(context: ObservedContext) {
    this.#context = context;
  }

  /** @param name of the watch in metrics and log lines */
  follow<T extends KubernetesObject>(name: string, options: WatchOptions<T>): ResourceWatch<T> {
    const { path, labelSelector, fieldSelector } = options;
    const key = JSON.stringify([name, path, labelSelector, fieldSelector]);
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a path has objects of one type
    const observed = (this.#open.get(key) as ObservedWatch<T> | undefined) ?? this.#observe<T>(name, options);
    this.#open.set(key, observed);
    const followed = observed.watch.follow(options);
    return {
      synced: followed.synced,
      get isSynced() {
        return followed.isSynced;
      },
      list: () => followed.list(),
      get: (id) => followed.get(id),
      age: () => followed.age(),
      close: async () => {
        const closed = followed.close();
        if (observed.watch.isClosed && this.#open.get(key) === observed) {
          this.#open.delete(key);
          observed.stopReading();
          this.#context.metrics.watchAge.remove({ watch: name });
        }
        await closed;
      },
    };
  }

  #observe<T extends KubernetesObject>(name: string, options: WatchOptions<T>): ObservedWatch<T> {
    const { cluster, log, metrics } = this.#context;
    metrics.watchErrors.inc({ watch: name }, 0);
    const watch = new SharedWatch<T>(cluster, options, (error) => {
      metrics.watchErrors.inc({ watch: name });
      log.warn({ watch: name, reason: describeError(error) }, 'a watch was interrupted; reconnecting');
    });
    return { watch, stopReading: metrics.onScrape(() => metrics.watchAge.set({ watch: name }, watch.age() / 1000)) };
  }
}

/** A watch of `context.watches`. @param name of the watch in metrics and log lines */
export const observedWatch = <T extends KubernetesObject>(
  { watches }: Pick<ReconcilerContext, 'watches'>,
  name: string,
  options: WatchOptions<T>,
): ResourceWatch<T> => watches.follow(name, options);

/** Whether the object that the watch has is of this resourceVersion, or a later one. @param version empty for a deletion */
export function hasReached(object: KubernetesObject | undefined, version: string): boolean {
  if (version === '' || object === undefined) return version === '' && object === undefined;
  return !isOlder(versionOf(object), version);
}
