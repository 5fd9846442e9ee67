/** Waiting for a condition instead of for a time. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Far above what anything here takes, so that only what never happens fails. */
const patience = 20_000;
/** As it is, also where a test holds the clock. */
const now = performance.now.bind(performance);

/** Resolves with the first value that is neither false, null nor undefined. */
export async function until<T>(what: string, look: () => T | Promise<T>): Promise<Exclude<T, false | null | undefined>> {
  const end = now() + patience;
  for (;;) {
    const value = await look();
    if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>;
    if (now() > end) throw new Error(`never happened: ${what}`);
    await sleep(5);
  }
}
