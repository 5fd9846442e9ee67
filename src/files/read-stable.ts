/** Reads a file that may be written at the same time: returns the content once two consecutive reads agree. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds between two reads. A file that is written in place, with shorter pauses than this, is not read half-written. */
const intervalMs = 200;
/** Maximum number of reads; a file that still changes is left to the next event or poll. */
const maxReads = 10;

/**
 * @param keyOf the value that must be equal
 * @param known the key of the current content, which is accepted without a second read
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
