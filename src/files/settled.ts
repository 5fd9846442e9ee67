/** Reading a file that somebody may be writing: what two looks in a row agree on. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two looks. Whoever writes a file in place, and pauses for less, is not read in the middle. */
const interval = 200;
/** Looks at a file that does not rest, before it is left to the next change or poll. */
const mostLooks = 10;

/**
 * @param keyOf what must be the same
 * @param known the key of what is in use, which is taken without a second look
 * @returns null when there was no rest
 * @throws what `read` throws
 */
export async function readSettled<T>(read: () => Promise<T>, keyOf: (value: T) => string, known: string): Promise<T | null> {
  let value = await read();
  for (let looks = 1; looks < mostLooks; looks++) {
    const key = keyOf(value);
    if (key === known) return value;
    await sleep(interval, undefined, { ref: false });
    value = await read();
    if (keyOf(value) === key) return value;
  }
  return null;
}
