/**
 * Graceful shutdown. Endpoints and connection pools learn late that a pod is terminating, so the server turns unready, keeps serving for a
 * while, and then closes (https://github.com/kubernetes/kubernetes/issues/127335).
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Closing {
  /** From now on unready, with `Connection: close` on every response. */
  readonly startDraining: () => void;
  /** Stops listening. Resolves after the last response. */
  readonly close: () => Promise<void>;
  /** Closes every connection, including those with requests in flight. */
  readonly destroy: () => void;
}

export interface ShutdownOptions {
  /** Milliseconds to keep serving after the first signal. */
  readonly drainTime: number;
  /** Milliseconds that requests in flight then have to complete. */
  readonly graceTime: number;
  readonly onEvent: (event: 'draining' | 'closing' | 'closed', signal: NodeJS.Signals) => void;
}

export interface SignalHandlers {
  readonly first: Promise<NodeJS.Signals>;
  /** Restores the default handling of signals. */
  readonly close: () => void;
}

const signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
/** Exit codes as shells report them: 128 plus the number of the signal. */
const exitCodes: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Handles SIGTERM and SIGINT; the second signal ends the process at once. Call this before anything else starts: PID 1 of a container has
 * no default signal handlers, so an unhandled signal is lost.
 * @param onForced called on the second signal
 */
export function handleSignals(onForced: (signal: NodeJS.Signals) => void): SignalHandlers {
  const { promise: first, resolve } = Promise.withResolvers<NodeJS.Signals>();
  let isSecond = false;
  const onSignal = (signal: NodeJS.Signals): void => {
    if (isSecond) {
      onForced(signal);
      process.exit(exitCodes[signal]);
    }
    isSecond = true;
    resolve(signal);
  };
  for (const name of signals) process.on(name, onSignal);
  return {
    first,
    close: () => {
      for (const name of signals) process.removeListener(name, onSignal);
    },
  };
}

/** Resolves when the server has closed. */
export async function closedBySignal(closing: Closing, first: Promise<NodeJS.Signals>, options: ShutdownOptions): Promise<void> {
  const signal = await first;
  options.onEvent('draining', signal);
  closing.startDraining();
  await sleep(options.drainTime);
  options.onEvent('closing', signal);
  const timer = setTimeout(() => closing.destroy(), options.graceTime);
  await closing.close();
  clearTimeout(timer);
  options.onEvent('closed', signal);
}
