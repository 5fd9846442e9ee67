/** Runs a server until a signal ends it. */
import type { Logger } from 'pino';
import { closedBySignal, handleSignals, type Closing } from '../process/shutdown.ts';

/** Milliseconds that requests in flight have after the drain. The API server's timeout is 30 s at most, and it rarely waits 5 s. */
const graceTime = 5_000;

export interface Running {
  readonly log: Logger;
  /** Milliseconds. */
  readonly drainTime: number;
}

export async function runUntilSignal(start: () => Promise<Closing>, { log, drainTime }: Running): Promise<void> {
  // Before the start: a signal during the start is handled when the start is complete.
  const signals = handleSignals((signal) => log.warn({ signal }, 'forced'));
  try {
    const running = await start();
    await closedBySignal(running, signals.first, { drainTime, graceTime, onEvent: (event, signal) => log.info({ signal }, event) });
  } finally {
    signals.close();
  }
}
