/** A watch with metrics for its age and its errors; errors are logged. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { describeError } from '../cluster/api-error.ts';
import { isOlder, versionOf } from '../cluster/object-store.ts';
import { watchResource, type ResourceWatch, type WatchOptions } from '../cluster/watch.ts';
import type { ReconcilerContext } from './reconciler.ts';

/** @param name of the watch in metrics and log lines */
export function observedWatch<T extends KubernetesObject>(
  { cluster, log, metrics }: Pick<ReconcilerContext, 'cluster' | 'log' | 'metrics'>,
  name: string,
  options: WatchOptions<T>,
): ResourceWatch<T> {
  metrics.watchErrors.inc({ watch: name }, 0);
  const watch = watchResource<T>(cluster, {
    ...options,
    onError: (error) => {
      metrics.watchErrors.inc({ watch: name });
      log.warn({ watch: name, reason: describeError(error) }, 'a watch was interrupted; reconnecting');
      options.onError?.(error);
    },
  });
  const stopReading = metrics.onScrape(() => metrics.watchAge.set({ watch: name }, watch.age() / 1000));
  return {
    synced: watch.synced,
    get isSynced() {
      return watch.isSynced;
    },
    list: () => watch.list(),
    get: (key) => watch.get(key),
    age: () => watch.age(),
    close: async () => {
      stopReading();
      metrics.watchAge.remove({ watch: name });
      await watch.close();
    },
  };
}

/** Whether the object that the watch has is of this resourceVersion, or a later one. @param version empty for a deletion */
export function hasReached(object: KubernetesObject | undefined, version: string): boolean {
  if (version === '' || object === undefined) return version === '' && object === undefined;
  return !isOlder(versionOf(object), version);
}
