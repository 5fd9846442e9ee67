/**
 * Noticing that mounted files changed.
 *
 * The kubelet replaces a ConfigMap or Secret volume by swapping the symbolic link `..data`
 * (https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically), so folders are
 * watched and not files. Some file systems tell nothing: the files are looked at now and then as well.
 */
import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

/** Milliseconds for which a burst of events counts as one change. */
const settleTime = 100;
/** Milliseconds after which a burst that does not end is looked at all the same: other files of a folder may change all the time. */
const longestBurst = 1_000;
/** Milliseconds between two looks at the files when no event comes. */
const pollInterval = 10_000;

export interface Watch {
  readonly close: () => void;
}

/**
 * @param changed called after events and at every poll; it compares the content itself, and must not reject. Runs never overlap.
 */
export function watchFiles(paths: readonly string[], changed: () => Promise<void>): Watch {
  let timer: NodeJS.Timeout | undefined;
  let burstEnd = 0;
  let running: Promise<void> = Promise.resolve();
  const look = (): void => {
    const now = performance.now();
    if (timer === undefined) burstEnd = now + longestBurst;
    else if (now > burstEnd) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      running = running.then(changed);
    }, settleTime);
  };
  const watchers = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) => watchFolder(folder, look));
  const poll = setInterval(look, pollInterval);
  poll.unref();
  return {
    close: () => {
      clearTimeout(timer);
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** A folder that cannot be watched (it is missing, or inotify's limit is reached) is only polled. */
function watchFolder(folder: string, look: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, look);
    watcher.on('error', look);
    return [watcher];
  } catch {
    return [];
  }
}
