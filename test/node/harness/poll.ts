/** Waiting for a cluster, which tells nobody when it is done: ask again until the answer fits. */
import { setTimeout as sleep } from 'node:timers/promises';

/**
 * Resolves to the first answer that is not undefined. Throws, with the last error, when there is none within the time.
 * A rejection counts as "not yet": objects appear, and servers answer, a moment later.
 */
export async function poll<T>(what: string, ask: () => Promise<T | undefined>, seconds = 60): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (let last: unknown; ;) {
    const answer = await ask().catch((error: unknown) => void (last = error));
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${seconds} s`, { cause: last });
    await sleep(200);
  }
}
