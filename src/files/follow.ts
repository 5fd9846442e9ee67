/** Following mounted files: each new content is reported once, and so is each reason why there is none. */
import { readStable } from './read-stable.ts';
import { watchFiles, type Watch } from './watch.ts';

export interface Followed<T> {
  readonly paths: readonly string[];
  readonly read: () => Promise<T>;
  /** Equal keys are the same content. */
  readonly keyOf: (value: T) => string;
  /** The key of what is in use. */
  readonly current: string;
  /** Takes new content. What it throws counts as a failure, and the content as not taken. */
  readonly changed: (value: T) => void;
  /** Called once for each message in a row. */
  readonly failed: (error: unknown) => void;
}

export function followFiles<T>({ paths, read, keyOf, current, changed, failed }: Followed<T>): Watch {
  let known = current;
  let lastFailure: string | null = null;
  let isClosed = false;
  const watch = watchFiles(paths, async () => {
    try {
      const value = await readStable(read, keyOf, known);
      if (value === null || isClosed) return;
      lastFailure = null;
      const key = keyOf(value);
      if (key === known) return;
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
