/**
 * Detects changes of mounted files.
 *
 * The kubelet replaces a ConfigMap or Secret volume by swapping the symbolic link `..data`
 * (https://kubernetes.io/docs/concepts/configuration/configmap/#mounted-configmaps-are-updated-automatically), so folders are watched
 * instead of files. Some file systems send no events, so the files are also polled.
 */
import { watch, type FSWatcher } from 'node:fs';
import { dirname } from 'node:path';

/** Debounce: events within this time count as one change. */
const debounceMs = 100;
/** The files are read after this time even if events continue: other files in the folder may change all the time. */
const maxDebounceMs = 1_000;
/** Poll interval without events. */
const pollIntervalMs = 10_000;

export interface Watch {
  readonly close: () => void;
}

/**
 * @param changed called after events and at every poll; it compares the content itself, and must not reject. Calls never overlap.
 */
export function watchFiles(paths: readonly string[], changed: () => Promise<void>): Watch {
  let timer: NodeJS.Timeout | undefined;
  let burstEnd = 0;
  let running: Promise<void> = Promise.resolve();
  const look = (): void => {
    const now = performance.now();
    if (timer === undefined) burstEnd = now + maxDebounceMs;
    else if (now > burstEnd) return;
    clearTimeout(timer);
    timer = setTimeout(() => {
      timer = undefined;
      running = running.then(changed);
    }, debounceMs);
  };
  const watchers = [...new Set(paths.map((path) => dirname(path)))].flatMap((folder) => watchFolder(folder, look));
  const poll = setInterval(look, pollIntervalMs);
  poll.unref();
  return {
    close: () => {
      clearTimeout(timer);
      clearInterval(poll);
      for (const watcher of watchers) watcher.close();
    },
  };
}

/** A folder that cannot be watched (missing, or inotify's limit is reached) is only polled. */
function watchFolder(folder: string, look: () => void): FSWatcher[] {
  try {
    const watcher = watch(folder, { persistent: false }, look);
    watcher.on('error', look);
    return [watcher];
  } catch {
    return [];
  }
}
