/** Reading a file that somebody may be writing: the content that two reads in a row agree on. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two reads. A file that is written in place, with pauses shorter than this, is not read half-written. */
const intervalMs = 200;
/** Reads of a file that keeps changing, before it is left to the next event or poll. */
const maxReads = 10;

/**
 * @param keyOf what must be the same
 * @param known the key of what is in use, which is taken without a second read
 * @returns null when the file kept changing
 * @throws what `read` throws
 */
export async function readStable<T>(read: () => Promise<T>, keyOf: (value: T) => string, known: string): Promise<T | null> {
  let value = await read();
  for (let reads = 1; reads < maxReads; reads++) {
    const key = keyOf(value);
    if (key === known) return value;
    await sleep(intervalMs, undefined, { ref: false });
    value = await read();
    if (keyOf(value) === key) return value;
  }
  return null;
}
