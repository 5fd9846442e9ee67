/** The queue of steps: how many at once, which of two plans counts, and what ends a rest. */
import { setTimeout as sleep } from 'node:timers/promises';

import { test } from 'tap';

import { StepQueue, type Rest } from '../../src/controller/step-queue.ts';

/** A queue whose steps end when they are told to. */
function controlled({ limit = 2, seen = false } = {}) {
  const started: string[] = [];
  const ends = new Map<string, (rest: Rest) => void>();
  const counts = { rested: 0 };
  const queue = new StepQueue<string>({
    limit,
    run: (key, step) => {
      started.push(`${key}=${step}`);
      return new Promise((resolve) => ends.set(key, resolve));
    },
    hasSeen: () => seen,
    onRested: () => counts.rested++,
  });
  const end = async (key: string, rest: Partial<Rest> = {}): Promise<void> => {
    ends.get(key)?.({ delay: 60_000, echo: null, ...rest });
    await sleep(0);
  };
  return { queue, started, counts, end };
}

const plan = (steps: Record<string, string>): Map<string, string> => new Map(Object.entries(steps));

test('no more than the limit, and a newer plan replaces what waits', async (t) => {
  const { queue, started, end } = controlled();
  queue.replace(plan({ a: '1', b: '1', c: '1', d: '1' }));
  t.same(started, ['a=1', 'b=1']);
  queue.replace(plan({ a: '2', c: '2' }));
  await end('a');
  t.same(started, ['a=1', 'b=1', 'c=2'], 'a is busy with the first plan, d is not planned any more');
  await end('b');
  await end('c');
  t.same(started, ['a=1', 'b=1', 'c=2'], 'a rests: a plan from before its step would repeat it');
  await queue.stop();
});

test('a rest ends by time, by the echo, or when the key is not planned any more', async (t) => {
  const { queue, started, counts, end } = controlled({ limit: 9 });
  queue.replace(plan({ time: '1', echo: '1', gone: '1', deaf: '1', left: '1' }));
  await end('time', { delay: 1 });
  await end('echo', { echo: '5' });
  await end('gone', { echo: '5' });
  await end('deaf');
  await end('left');
  await sleep(20);
  t.equal(counts.rested, 1, 'time');
  queue.look('echo', false);
  t.equal(counts.rested, 1, 'an older version is no echo');
  queue.look('gone', true);
  queue.look('deaf', true);
  queue.look('unknown', true);
  t.equal(counts.rested, 2, 'gone');
  queue.replace(plan({ deaf: '2', gone: '2' }));
  queue.replace(plan({ deaf: '3', left: '3' }));
  t.same(started.slice(5), ['gone=2', 'left=3']);
  await end('left');
  await end('gone');
  await queue.stop();
});

test('an echo that came before the answer is no rest', async (t) => {
  const { queue, started, counts, end } = controlled({ seen: true });
  queue.replace(plan({ a: '1' }));
  queue.replace(plan({ a: 'stale' }));
  await end('a', { echo: '5' });
  t.equal(counts.rested, 1);
  t.same(started, ['a=1'], 'and what was planned meanwhile does not run');
  await queue.stop();
});

test('a pause holds everything back', async (t) => {
  const { queue, started, end } = controlled({ limit: 1 });
  queue.replace(plan({ a: '1', b: '1' }));
  await end('a', { pause: 20 });
  t.same(started, ['a=1']);
  queue.replace(plan({ b: '2' }));
  t.same(started, ['a=1']);
  while (started.length < 2) await sleep(5);
  t.same(started, ['a=1', 'b=2']);
  await end('b', { pause: 60_000 });
  await queue.stop();
});

test('stopping waits for what is in flight and starts nothing more', async (t) => {
  const { queue, started, counts, end } = controlled({ limit: 1 });
  queue.replace(plan({ a: '1', b: '1' }));
  const stopped = queue.stop();
  await end('a', { delay: 0 });
  await stopped;
  queue.replace(plan({ c: '1' }));
  t.same(started, ['a=1']);
  t.equal(counts.rested, 0);
});
