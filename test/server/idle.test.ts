/** A server that has nothing to do does nothing: there are clusters with hundreds of nodes that pay for each wake-up. */
import { existsSync } from 'node:fs';
import { readdir, readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { serving } from '../cli/child.ts';

/** How often any thread of the process waited for something and was woken. */
async function wakeUps(pid: number): Promise<number> {
  const threads = await readdir(`/proc/${pid}/task`);
  const counts = await Promise.all(
    threads.map(async (thread) =>
      Number(/^voluntary_ctxt_switches:\s+(\d+)$/m.exec(await readFile(`/proc/${pid}/task/${thread}/status`, 'utf8'))?.[1]),
    ),
  );
  return counts.reduce((sum, count) => sum + count, 0);
}

/** What never rests would be seen in each of them. */
const maxLooks = 10;

test(
  'an idle server sleeps: two looks at the event loop and an empty log once woke it fifty times a second',
  { skip: existsSync('/proc/self/status') ? false : 'wake-ups are counted by Linux' },
  async (t) => {
    const {
      process: { pid = 0 },
    } = await serving(t);
    // What comes after a start ends by itself: compiling, a probe's connection, the collection of what the start left behind.
    const counts: number[] = [];
    while (counts.length < maxLooks && (counts.at(-1) ?? Infinity) >= 45) {
      const before = await wakeUps(pid);
      await sleep(3_000);
      counts.push((await wakeUps(pid)) - before);
    }
    t.ok((counts.at(-1) ?? Infinity) < 45, `${counts.join(', ')} wake-ups, each in three seconds`);
  },
);
