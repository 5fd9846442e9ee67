/** The work queue: what is gathered, how many run at a time, and what ends each kind of wait. */
import { setTimeout as sleep } from 'node:timers/promises';

import * as fc from '../random/fast-check.ts';
import { test } from 'tap';

import { done, requeueAfter, requeueUntil, WorkQueue, type Requeue, type WorkQueueOptions } from '../../src/controller/work-queue.ts';

/** A queue whose calls end when they are told to. */
function controlled(options: Partial<WorkQueueOptions> = {}) {
  const started: string[] = [];
  const ends = new Map<string, (requeue: Requeue) => void>();
  const queue = new WorkQueue({
    reconcile: (key) => {
      started.push(key);
      return new Promise((resolve) => ends.set(key, resolve));
    },
    ...options,
  });
  const end = async (key: string, requeue: Requeue = done): Promise<void> => {
    ends.get(key)?.(requeue);
    await sleep(0);
  };
  const add = (...keys: string[]): void => {
    for (const key of keys) queue.add(key);
  };
  return { queue, started, end, add };
}

/** Until it holds; the test runner's time-out ends a wait for something that never comes. */
async function until(holds: () => boolean): Promise<void> {
  while (!holds()) await sleep(2);
}

test('a key that is added many times is reconciled once, in the order of the first additions, no more than the limit at a time', async (t) => {
  const { queue, started, end, add } = controlled({ concurrency: 2 });
  add('a', 'b', 'c', 'b', 'd', 'a');
  t.same(started, [], 'whoever adds does not run it');
  await sleep(0);
  t.same(started, ['a', 'b']);
  await end('a');
  await end('b');
  t.same(started, ['a', 'b', 'c', 'd']);
  await end('c');
  await end('d');
  await sleep(5);
  t.same(started, ['a', 'b', 'c', 'd']);
  await queue.stop();
});

test('a key that is added while it is reconciled is reconciled once more, afterwards', async (t) => {
  const { queue, started, end, add } = controlled({ concurrency: 9 });
  add('a');
  await sleep(0);
  add('a', 'a');
  await sleep(5);
  t.same(started, ['a'], 'never two at a time');
  await end('a');
  t.same(started, ['a', 'a']);
  await end('a');
  await sleep(5);
  t.same(started, ['a', 'a']);
  await queue.stop();
});

test('additions are gathered for the debounce, and calls keep their interval', async (t) => {
  const times: number[] = [];
  const queue = new WorkQueue({
    reconcile: async () => (times.push(performance.now()), done),
    debounceMs: 10,
    intervalMs: 60,
  });
  const begin = performance.now();
  while (performance.now() - begin < 200) {
    queue.add('a');
    await sleep(1);
  }
  await queue.stop();
  t.ok(times.length >= 2 && times.length <= 4, `${times.length} calls: the interval is kept, and constant additions do not starve it`);
  t.ok((times[0] ?? 0) - begin >= 9);
  for (const [index, time] of times.slice(1).entries()) t.ok(time - (times[index] ?? 0) >= 58, 'the interval');
});

test('a wait for a version ends when the watch has delivered it', async (t) => {
  let observed = 4;
  const isGone = new Set<string>();
  const { queue, started, end, add } = controlled({
    concurrency: 9,
    hasObserved: (key, version) => (version === '' ? isGone.has(key) : observed >= Number(version)),
  });
  add('written', 'deleted', 'lost');
  await sleep(0);
  await end('written', requeueUntil('5', 60_000));
  await end('deleted', requeueUntil('', 60_000));
  add('written', 'deleted');
  await sleep(1);
  t.same(started.slice(3), [], 'the watch is still behind: the write would be repeated');
  observed = 5;
  isGone.add('deleted');
  add('written', 'deleted');
  await sleep(0);
  t.same(started.slice(3), ['written', 'deleted']);
  await end('lost', requeueUntil('9', 20));
  await until(() => started.length === 6);
  t.equal(started[5], 'lost', 'one that the watch never delivers is looked at after the delay');
  await Promise.all(['written', 'deleted', 'lost'].map((key) => end(key)));

  add('fast');
  await sleep(0);
  add('fast');
  await end('fast', requeueUntil('5', 60_000));
  t.same(started.slice(6), ['fast', 'fast'], 'a watch that was faster than the answer');
  await end('fast');
  await queue.stop();
});

test('what an addition brings forward, and what it does not', async (t) => {
  const { queue, started, end, add } = controlled({ concurrency: 9, backoff: { minDelay: 60_000, maxDelay: 60_000 } });
  add('after', 'notBefore', 'failed');
  await sleep(0);
  await end('after', requeueAfter(60_000));
  await end('notBefore', { result: 'notBefore', delay: 60_000 });
  await end('failed', { result: 'failed' });
  add('after', 'notBefore', 'failed');
  await sleep(5);
  t.same(started.slice(3), ['after']);
  await end('after', requeueAfter(1));
  await until(() => started.length === 5);
  t.same(started.slice(4), ['after'], 'and the time itself');
  queue.retain((key) => key === 'after');
  add('notBefore', 'failed');
  await sleep(0);
  t.same(started.slice(5), ['notBefore', 'failed'], 'what was not wanted meanwhile begins anew');
  await Promise.all(['after', 'notBefore', 'failed'].map((key) => end(key)));
  await queue.stop();
});

test('a failure is tried again, later each time, and as late as the API server asks; a success begins anew', async (t) => {
  const times: number[] = [];
  const answers: Requeue[] = [{ result: 'failed' }, { result: 'failed' }, { result: 'failed', retryAfter: 70 }, done, { result: 'failed' }];
  const queue = new WorkQueue({
    reconcile: async () => {
      times.push(performance.now());
      return answers[times.length - 1] ?? done;
    },
    backoff: { minDelay: 10, maxDelay: 1_000 },
  });
  queue.add('a');
  await until(() => times.length === 4);
  queue.add('a');
  await until(() => times.length === 6);
  await queue.stop();
  const gaps = times.slice(1).map((time, index) => time - (times[index] ?? 0));
  for (const [index, least] of [10, 20, 70].entries()) t.ok((gaps[index] ?? 0) >= least - 1, `${gaps[index]} ms, at least ${least}`);
});

test('what is thrown is reported, and counts as a failure', async (t) => {
  const errors: unknown[] = [];
  let calls = 0;
  const queue = new WorkQueue({
    reconcile: async () => {
      calls += 1;
      if (calls === 1) throw new Error('planted');
      return done;
    },
    backoff: { minDelay: 5, maxDelay: 5 },
    onError: (key, error) => void errors.push([key, error]),
  });
  queue.add('a');
  await until(() => calls === 2);
  t.match(errors, [['a', { message: 'planted' }]]);
  await queue.stop();
});

test('an API server that is out of reach holds everything back', async (t) => {
  const { queue, started, end, add } = controlled();
  add('a', 'b');
  await sleep(0);
  await end('a', { result: 'unavailable' });
  add('c');
  await sleep(20);
  t.same(started, ['a']);
  await until(() => started.length === 2);
  t.equal(started[1], 'b', 'then it goes on, and a waits for its turn');
  await end('b');
  t.same(started.slice(2), ['a']);
  await end('a');
  t.same(started.slice(3), ['c']);
  await end('c');
  await queue.stop();
});

test('a key that was forgotten while it is reconciled and added again waits for the end of the call', async (t) => {
  const { queue, started, end, add } = controlled({ concurrency: 9 });
  add('a');
  await sleep(0);
  queue.retain(() => false);
  add('a');
  await sleep(5);
  t.same(started, ['a']);
  await end('a', { result: 'failed' });
  t.same(started, ['a', 'a'], 'with nothing of the failure before');
  await end('a');
  await queue.stop();
});

test('stopping waits for the call under way and starts nothing more', async (t) => {
  const { queue, started, end, add } = controlled();
  add('a', 'b');
  await sleep(0);
  let isStopped = false;
  const stopped = queue.stop().then(() => (isStopped = true));
  await sleep(5);
  t.equal(isStopped, false);
  await end('a', { result: 'unavailable' });
  await stopped;
  add('c');
  await sleep(5);
  t.same(started, ['a']);
  const early = controlled();
  early.add('a');
  await early.queue.stop();
  t.same(early.started, [], 'what had not begun does not begin');
});

test('whatever is added and answered: one call a key, the limit is kept, and the last addition is seen', async (t) => {
  const answers: readonly Requeue[] = [
    done,
    requeueAfter(3),
    requeueUntil('1', 3),
    { result: 'notBefore', delay: 2 },
    { result: 'failed' },
  ];
  const action = fc.oneof(
    fc.record({ add: fc.constantFrom('a', 'b', 'c', 'd') }),
    fc.record({ forget: fc.constantFrom('a', 'b', 'c', 'd') }),
    fc.record({ pause: fc.integer({ min: 0, max: 3 }) }),
  );
  const property = fc.asyncProperty(
    fc.array(action, { maxLength: 30 }),
    fc.array(fc.constantFrom(...answers), { minLength: 1, maxLength: 20 }),
    fc.integer({ min: 1, max: 3 }),
    async (actions, results, concurrency) => {
      const active = new Set<string>();
      const state = new Map<string, number>();
      const seen = new Map<string, number>();
      let calls = 0;
      const queue = new WorkQueue({
        concurrency,
        backoff: { minDelay: 1, maxDelay: 4 },
        hasObserved: () => calls % 2 === 0,
        reconcile: async (key) => {
          if (active.has(key)) throw new Error(`two calls for ${key}`);
          active.add(key);
          if (active.size > concurrency) throw new Error(`${active.size} calls`);
          seen.set(key, state.get(key) ?? 0);
          await sleep(calls % 3);
          active.delete(key);
          return results[calls++] ?? done;
        },
        onError: (_key, error) => failures.push(error),
      });
      const failures: unknown[] = [];
      for (const step of actions) {
        if ('add' in step) {
          state.set(step.add, (state.get(step.add) ?? 0) + 1);
          queue.add(step.add);
        } else if ('forget' in step) {
          queue.retain((key) => key !== step.forget);
          state.delete(step.forget);
          seen.delete(step.forget);
        } else await sleep(step.pause);
      }
      await until(() => [...state].every(([key, count]) => seen.get(key) === count));
      await queue.stop();
      if (failures.length > 0) throw failures[0];
    },
  );
  await fc.assert(property, { numRuns: 60, interruptAfterTimeLimit: 20_000 });
  t.pass('60 sequences');
});
