import { test } from 'tap';

import { Backoff } from '../../src/cluster/backoff.ts';

const between = (value: number, low: number, high: number): boolean => value >= low && value < high;

test('doubles from the minimum to the maximum, with up to half of it on top, and begins anew after a success', (t) => {
  const backoff = new Backoff({ minDelay: 10, maxDelay: 60 });
  for (const step of [10, 20, 40, 60, 60]) t.ok(between(backoff.next(), step, step * 1.5), `${step}`);
  backoff.reset();
  t.ok(between(backoff.next(), 10, 15));
  t.end();
});

test('respects Retry-After, up to a limit', (t) => {
  const backoff = new Backoff({ minDelay: 10, maxDelay: 10 });
  t.ok(between(backoff.next(2000), 2000, 2005));
  t.ok(between(backoff.next(86_400_000), 60_000, 60_005));
  t.ok(between(backoff.next(0), 10, 15), 'Retry-After: 0 is no invitation to a tight loop');
  t.end();
});

test('no two clients wait the same', (t) => {
  const waits = new Set(Array.from({ length: 20 }, () => new Backoff({ minDelay: 1000, maxDelay: 1000 }).next()));
  t.ok(waits.size > 10);
  t.end();
});
