/** A file written in place by somebody who pauses in the middle. */
import { open } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';

/** Milliseconds. Longer than a burst of events is waited for, shorter than lies between two looks at a file. */
const pause = 140;
/** Milliseconds below which a reader that looks twice, 200 ms apart, cannot have seen the same part both times. */
export const longestPause = 195;

/** @returns the longest time in milliseconds for which the file was the same while it was not whole */
export async function writeInParts(path: string, parts: readonly string[]): Promise<number> {
  let longest = 0;
  const file = await open(path, 'w');
  let since = performance.now();
  for (const [n, part] of parts.entries()) {
    if (n > 0) await sleep(pause);
    await file.writeFile(part);
    longest = Math.max(longest, performance.now() - since);
    since = performance.now();
  }
  await file.close();
  return longest;
}
