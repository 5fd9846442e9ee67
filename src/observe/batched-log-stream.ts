/**
 * Writes log lines in batches. sonic-boom batches too, but for every line it joins all waiting lines into one string and counts its bytes,
 * and it writes ten times a second even if nothing waits (docs/design/request-path.md).
 */

import { escapedJson } from '../text/printable.ts';

/** In characters; a longer batch is written at once. A write per line would be a quarter of the cost of a review. */
const maxBatchLength = 32 * 1024;
/** Milliseconds that lines wait for more, if others were written just before. */
const maxDelay = 100;

/** Two ways to write to the same file. */
export interface LogFile {
  /** Returns immediately, so that a slow reader blocks nothing. */
  readonly async: { readonly write: (text: string) => unknown; readonly flushSync: () => void };
  /** Returns after the write. */
  readonly sync: { readonly write: (text: string) => unknown };
}

/** Several times faster than a regular expression. Of the ASCII control characters, JSON escapes all but DEL. */
function isAscii(text: string): boolean {
  return Buffer.byteLength(text) === text.length && !text.includes('\x7f');
}

/** The stream of a pino logger. Escapes control characters, also in names from the request (src/text/printable.ts). */
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

  /** For the end of the process, which cannot wait; pino also calls it for a line of level `fatal`. */
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
