/**
 * Writes log lines in batches. sonic-boom batches too, but for every line it joins all that waits into one string and counts its
 * bytes, and ten times a second it writes even if nothing waits (docs/design/request-path.md).
 */

import { escapedJson } from '../text/printable.ts';

/** Characters after which a batch is written at once: a write for every line would be a quarter of what a review costs. */
const maxBatchLength = 32 * 1024;
/** Milliseconds that lines wait for more, if others were written just before. */
const maxDelay = 100;

/** Two ways to write to the same file. */
export interface LogFile {
  /** Returns at once, so that a reader that is stuck blocks nobody. */
  readonly async: { readonly write: (text: string) => unknown; readonly flushSync: () => void };
  /** Returns when it is written. */
  readonly sync: { readonly write: (text: string) => unknown };
}

/** Several times as fast as a regular expression. Of ASCII, JSON escapes all that a terminal obeys but DEL. */
function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length && !text.includes('\x7f');
}

/** The stream of a pino logger. Characters that a terminal obeys are escaped, in names that others chose as well (src/text/printable.ts). */
export class BatchedLogStream {
  readonly #file: LogFile;
  #batch: string[] = [];
  #length = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: LogFile) {
    this.#file = file;
  }

  write(line: string): void {
    this.#batch.push(line);
    this.#length += line.length;
    if (this.#timer === undefined || this.#length >= maxBatchLength) this.#flush();
  }

  /** For the end of the process, which waits for nothing; pino also calls it for a line of level `fatal`. */
  flushSync(): void {
    this.#file.async.flushSync();
    if (this.#length > 0) this.#file.sync.write(this.#take());
  }

  #flush(): void {
    this.#file.async.write(this.#take());
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#length > 0) this.#flush();
    }, maxDelay).unref();
  }

  #take(): string {
    const text = this.#batch.join('');
    this.#batch = [];
    this.#length = 0;
    return isAscii(text) ? text : escapedJson(text);
  }
}
