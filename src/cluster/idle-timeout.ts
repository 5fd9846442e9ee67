/** Detects a connection on which nothing arrives any more: without it, a link that died looks like an idle watch for ever. */

export class IdleTimeoutError extends Error {
  readonly code = 'WATCH_IDLE_TIMEOUT';
}

export interface IdleTimeout {
  /** Aborts with an IdleTimeoutError when the time has passed without `refresh`, and with the parent. */
  readonly signal: AbortSignal;
  refresh(): void;
  /** Must be called, or the timer stays. */
  stop(): void;
}

/** @param milliseconds longest time between two calls of `refresh` */
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
