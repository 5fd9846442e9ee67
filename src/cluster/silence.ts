/** Notices that nothing arrives any more: a link that died without a word looks like an idle watch for ever. */

export class SilenceError extends Error {
  readonly code = 'WATCH_SILENT';
}

export interface SilenceAlarm {
  /** Aborts, with a SilenceError, when the time has passed without `heard`, and with the parent. */
  readonly signal: AbortSignal;
  heard(): void;
  /** Must be called, or the timer stays. */
  stop(): void;
}

/** @param milliseconds longest time between two signs of life */
export function silenceAlarm(milliseconds: number, parent: AbortSignal): SilenceAlarm {
  const controller = new AbortController();
  const timer = setTimeout(() => {
    controller.abort(new SilenceError(`nothing was received for ${milliseconds} ms, not even a bookmark; connecting again`));
  }, milliseconds);
  return {
    signal: AbortSignal.any([controller.signal, parent]),
    heard: () => timer.refresh(),
    stop: () => clearTimeout(timer),
  };
}
