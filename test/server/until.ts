/** Waiting for a condition instead of for a time. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Far above what anything here takes, so that only what never happens fails. */
const patience = 20_000;

/** Resolves with the first value that is neither false, null nor undefined. */
export async function until<T>(what: string, look: () => T | Promise<T>): Promise<Exclude<T, false | null | undefined>> {
  const end = performance.now() + patience;
  for (;;) {
    const value = await look();
    if (value !== false && value !== null && value !== undefined) return value as Exclude<T, false | null | undefined>;
    if (performance.now() > end) throw new Error(`never happened: ${what}`);
    await sleep(5);
  }
}
