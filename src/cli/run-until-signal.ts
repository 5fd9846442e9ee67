/** A server from its start to the signal that ends it. */
import type { Logger } from 'pino';
import { closedBySignal, handleSignals, type Closing } from '../process/shutdown.ts';

/** Milliseconds that requests in flight have after the drain. The API server gives up after 30 s at most, and rarely waits 5. */
const graceTime = 5_000;

export interface Running {
  readonly log: Logger;
  /** Milliseconds. */
  readonly drainTime: number;
}

export async function runUntilSignal(start: () => Promise<Closing>, { log, drainTime }: Running): Promise<void> {
  // Before the start: a signal during it counts when the start is over.
  const signals = handleSignals((signal) => log.warn({ signal }, 'forced'));
  try {
    const running = await start();
    await closedBySignal(running, signals.first, { drainTime, graceTime, onEvent: (event, signal) => log.info({ signal }, event) });
  } finally {
    signals.close();
  }
}
