/** Waiting for a cluster, which tells nobody when it is done: ask again until the answer fits. */
import { setTimeout as sleep } from 'node:timers/promises';

/** Seconds. */
export const patience = 180;

/**
 * Resolves to the first answer that is not undefined. Throws, with the last error, when there is none within the time.
 * A rejection counts as "not yet": objects appear, and servers answer, a moment later. Only a failure takes the time: it is far above what a
 * kubelet's back-off or a busy machine needs.
 */
export async function poll<T>(what: string, ask: () => Promise<T | undefined>, seconds = patience): Promise<T> {
  const deadline = performance.now() + seconds * 1000;
  for (let last: unknown; ;) {
    const answer = await ask().catch((error: unknown) => void (last = error));
    if (answer !== undefined) return answer;
    if (performance.now() > deadline) throw new Error(`${what}: not within ${seconds} s`, { cause: last });
    await sleep(200);
  }
}
