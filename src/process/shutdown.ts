/**
 * Ending without losing a request. Endpoints and connection pools learn late that a pod goes away, so the server turns unready,
 * serves on while they learn, and only then closes (https://github.com/kubernetes/kubernetes/issues/127335).
 */
import { setTimeout as sleep } from 'node:timers/promises';

export interface Closing {
  /** Unready from now on; answers carry `Connection: close`. */
  readonly startDraining: () => void;
  /** Stops listening; resolves when the last request is answered. */
  readonly close: () => Promise<void>;
  /** Ends every connection, whatever is in flight. */
  readonly destroy: () => void;
}

export interface ShutdownOptions {
  /** Milliseconds to serve on after the first signal. */
  readonly drainTime: number;
  /** Milliseconds that requests in flight have after that. */
  readonly graceTime: number;
  readonly onEvent: (event: 'draining' | 'closing' | 'closed', signal: NodeJS.Signals) => void;
}

export interface SignalHandlers {
  readonly first: Promise<NodeJS.Signals>;
  /** Leaves signals to their defaults again. */
  readonly close: () => void;
}

const signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
/** What shells report for a process that a signal ended: 128 and the signal's number. */
const exitCodes: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Hears SIGTERM and SIGINT from now on; the second one ends the process at once. To be called before anything is started: the first
 * process of a container has no default for signals, so one that nobody hears is lost.
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

/** Resolves when the first signal has been carried out. */
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
