/** Waiting for what will be so soon: polls, and fails the test with its sentence when it never is. */
import { setTimeout as sleep } from 'node:timers/promises';

/** @throws when it is not true within the time, which is generous: only a failure takes it */
export async function eventually(what: string, isSo: () => boolean | Promise<boolean>, milliseconds = 60_000): Promise<void> {
  const deadline = performance.now() + milliseconds;
  while (!(await isSo())) {
    if (performance.now() > deadline) throw new Error(`not so within ${milliseconds} ms: ${what}`);
    await sleep(10);
  }
}
