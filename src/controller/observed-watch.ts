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
    const watch = (this.#open.get(key) as SharedWatch<T> | undefined) ?? this.#observe<T>(name, options, () => this.#open.delete(key));
    this.#open.set(key, watch);
    return watch.follow(options);
  }

  #observe<T extends KubernetesObject>(name: string, options: WatchOptions<T>, onClosed: () => void): SharedWatch<T> {
    const { cluster, log, metrics } = this.#context;
    metrics.watchErrors.inc({ watch: name }, 0);
    const watch = new SharedWatch<T>(cluster, options, {
      onError: (error) => {
        metrics.watchErrors.inc({ watch: name });
        log.warn({ watch: name, reason: describeError(error) }, 'a watch was interrupted; reconnecting');
      },
      onClosed: () => {
        onClosed();
        stopReading();
        metrics.watchAge.remove({ watch: name });
      },
    });
    const stopReading = metrics.onScrape(() => metrics.watchAge.set({ watch: name }, watch.age() / 1000));
    return watch;
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
