/** Detects a connection that receives nothing any more: otherwise a dead connection looks like an idle watch for ever. */

export class IdleTimeoutError extends Error {
  readonly code = 'WATCH_IDLE_TIMEOUT';
}

export interface IdleTimeout {
  /** Aborts with an IdleTimeoutError when `refresh` is not called in time, and when the parent signal aborts. */
  readonly signal: AbortSignal;
  refresh(): void;
  /** Must be called, or the timer leaks. */
  stop(): void;
}

/** @param milliseconds maximum time between two calls of `refresh` */
export function startIdleTimeout(milliseconds: number, parent: AbortSignal): IdleTimeout {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new IdleTimeoutError(`nothing was received for ${milliseconds} ms, not even a bookmark; connecting again`));
  }, milliseconds);
  return {
    signal: AbortSignal.any([controller.signal, parent]),
    refresh: () => timer.refresh(),
    stop: () => clearTimeout(timer),
  };
}
