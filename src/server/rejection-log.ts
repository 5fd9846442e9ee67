/** Log lines about rejected requests, rate-limited: a client that floods the server must not flood its log. */
import type { Logger } from 'pino';
import type { ClientErrorCode } from './errors.ts';

/** Milliseconds between two lines for one code. */
const interval = 10_000;

export class RejectionLog {
  readonly #log: Logger;
  /** Time of the last line, and the number of lines suppressed since. */
  readonly #last = new Map<ClientErrorCode, { at: number; omitted: number }>();

  constructor(log: Logger) {
    this.#log = log;
  }

  /** @param remote the address of the client */
  write(code: ClientErrorCode, detail: string, remote: string | undefined): void {
    const now = performance.now();
    const last = this.#last.get(code);
    if (last !== undefined && now - last.at < interval) {
      last.omitted += 1;
      return;
    }
    const omitted = last?.omitted ?? 0;
    this.#last.set(code, { at: now, omitted: 0 });
    this.#log.warn({ code, remote, ...(omitted > 0 ? { omitted } : {}) }, `request refused: ${detail}`);
  }
}
