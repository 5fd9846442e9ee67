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
  readonly told: (event: 'draining' | 'closing' | 'forced' | 'closed', signal: NodeJS.Signals) => void;
}

const signals: readonly NodeJS.Signals[] = ['SIGTERM', 'SIGINT'];
/** What shells report for a process that a signal ended: 128 and the signal's number. */
const exitCodes: Readonly<Partial<Record<NodeJS.Signals, number>>> = { SIGINT: 130, SIGTERM: 143 };

/**
 * Resolves when the first SIGTERM or SIGINT has been carried out. A second one ends the process at once.
 */
export async function closedBySignal(closing: Closing, options: ShutdownOptions): Promise<void> {
  const signal = await firstSignal();
  for (const name of signals) {
    process.once(name, () => {
      options.told('forced', name);
      process.exit(exitCodes[name]);
    });
  }
  options.told('draining', signal);
  closing.startDraining();
  await sleep(options.drainTime);
  options.told('closing', signal);
  const forced = setTimeout(() => closing.destroy(), options.graceTime);
  await closing.close();
  clearTimeout(forced);
  options.told('closed', signal);
}

async function firstSignal(): Promise<NodeJS.Signals> {
  return await new Promise((resolve) => {
    const heard = (signal: NodeJS.Signals): void => {
      for (const name of signals) process.removeListener(name, heard);
      resolve(signal);
    };
    for (const name of signals) process.on(name, heard);
  });
}
