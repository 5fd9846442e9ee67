import { setTimeout as sleep } from 'node:timers/promises';

import { test } from 'tap';

import { PatchRate } from '../../../src/controller/fallback/patch-rate.ts';
import { until } from '../../server/until.ts';

const takeAll = (rate: PatchRate, keys: readonly string[]): boolean[] => keys.map((key) => rate.take(key));

test('a burst, then who waits is called in order, and nobody overtakes', async (t) => {
  let now = 0;
  const called: string[] = [];
  const rate = new PatchRate(
    { perSecond: 1000, burst: 3 },
    (key) => called.push(key),
    () => now,
  );
  t.strictSame(takeAll(rate, ['a', 'b', 'c', 'd', 'e']), [true, true, true, false, false]);
  t.notOk(rate.take('d'), 'asking again is no second place');
  now += 1;
  await until('the first that waits is called', () => called.length === 1);
  t.strictSame(called, ['d']);
  t.strictSame(takeAll(rate, ['f', 'd', 'd']), [false, true, false], 'a turn is over when it is taken');
  now += 60_000;
  await until('the others are called', () => called.length === 4);
  t.strictSame(called, ['d', 'e', 'f', 'd'], 'a pause saves up one burst');
  t.strictSame(takeAll(rate, ['e', 'f', 'd', 'g']), [true, true, true, false]);
  rate.stop();
});

test('a turn that is of no use is the next one’s', async (t) => {
  let now = 0;
  const called: string[] = [];
  const rate = new PatchRate(
    { perSecond: 1000, burst: 1 },
    (key) => called.push(key),
    () => now,
  );
  t.strictSame(takeAll(rate, ['a', 'b', 'c', 'd']), [true, false, false, false]);
  rate.giveUp('b');
  now += 1;
  await until('c is called', () => called.includes('c'));
  rate.giveUp('c');
  await until('d is called without more time', () => called.includes('d'));
  t.strictSame(called, ['c', 'd']);
  t.notOk(rate.take('e'));
  rate.stop();
  now += 60_000;
  await sleep(20);
  t.strictSame(called, ['c', 'd'], 'nobody is called after the end');
});
