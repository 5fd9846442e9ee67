/** Follows mounted files: reports each new content once, and each failure once. */
import { readStable } from './read-stable.ts';
import { watchFiles, type Watch } from './watch.ts';

export interface Followed<T> {
  readonly paths: readonly string[];
  readonly read: () => Promise<T>;
  /** Equal keys mean equal content. */
  readonly keyOf: (value: T) => string;
  /** The key of the current content. */
  readonly current: string;
  /** Accepts new content. An exception counts as a failure, and the content as not accepted. */
  readonly changed: (value: T) => void;
  /** Called once for consecutive equal messages. */
  readonly failed: (error: unknown) => void;
  /** The content is the current one again, after a failure. */
  readonly restored: (value: T) => void;
}

export function followFiles<T>({ paths, read, keyOf, current, changed, failed, restored }: Followed<T>): Watch {
  let known = current;
  let lastFailure: string | null = null;
  let isClosed = false;
  const watch = watchFiles(paths, async () => {
    try {
      const value = await readStable(read, keyOf, known);
      if (value === null || isClosed) return;
      const hadFailed = lastFailure !== null;
      lastFailure = null;
      const key = keyOf(value);
      if (key === known) {
        if (hadFailed) restored(value);
        return;
      }
      changed(value);
      known = key;
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message === lastFailure || isClosed) return;
      lastFailure = message;
      failed(error);
    }
  });
  return {
    close: () => {
      isClosed = true;
      watch.close();
    },
  };
}
