/**
 * Log lines on their way to a file, many at a time. sonic-boom gathers too, but for every line it makes one text of all that waits and
 * counts its bytes, and ten times a second it writes even if nothing waits (docs/design/performance.md).
 */

/** Characters that are passed on at once: a write for every line would be a quarter of what a review costs. */
const most = 32 * 1024;
/** Milliseconds that fewer wait for more, when others were passed on just before. */
const longestWait = 100;

/** Ways to one and the same file. */
export interface LogFile {
  /** In the background, so that a reader who is stuck keeps nobody waiting. */
  readonly inBackground: { readonly write: (text: string) => unknown; readonly flushSync: () => void };
  /** Before it returns. */
  readonly atOnce: { readonly write: (text: string) => unknown };
}

/** The stream of a pino logger. */
export class GatheredLines {
  readonly #file: LogFile;
  #waiting: string[] = [];
  #length = 0;
  #timer: NodeJS.Timeout | undefined;

  constructor(file: LogFile) {
    this.#file = file;
  }

  write(line: string): void {
    this.#waiting.push(line);
    this.#length += line.length;
    if (this.#timer === undefined || this.#length >= most) this.#passOn();
  }

  /** For the end of a process, which waits for nothing; pino also calls it for a line of the level `fatal`. */
  flushSync(): void {
    this.#file.inBackground.flushSync();
    if (this.#length > 0) this.#file.atOnce.write(this.#take());
  }

  #passOn(): void {
    this.#file.inBackground.write(this.#take());
    this.#timer ??= setTimeout(() => {
      this.#timer = undefined;
      if (this.#length > 0) this.#passOn();
    }, longestWait).unref();
  }

  #take(): string {
    const text = this.#waiting.join('');
    this.#waiting = [];
    this.#length = 0;
    return text;
  }
}
