import { test } from 'tap';

import { RequestRate } from '../../../src/controller/verify/request-rate.ts';

test('a burst, then so many a second', (t) => {
  let now = 0;
  const rate = new RequestRate({ perSecond: 5, burst: 3 }, () => now);
  t.strictSame([rate.take(), rate.take(), rate.take()], [0, 0, 0]);
  t.equal(rate.take(), 200, 'the next is due in a fifth of a second');
  t.equal(rate.take(), 200, 'who was told to wait has taken nothing');
  now += 200;
  t.strictSame([rate.take(), rate.take()], [0, 200]);
  now += 60_000;
  t.strictSame([rate.take(), rate.take(), rate.take(), rate.take()], [0, 0, 0, 200], 'a pause saves up one burst, not more');
  t.end();
});

test('who waits gets a turn, unless it is stopped', async (t) => {
  const rate = new RequestRate({ perSecond: 100, burst: 1 });
  const stopping = new AbortController();
  await rate.turn(stopping.signal);
  await rate.turn(stopping.signal);
  const late = new RequestRate({ perSecond: 0.01, burst: 1 });
  await late.turn(stopping.signal);
  const waiting = late.turn(stopping.signal);
  stopping.abort();
  await t.rejects(waiting, { name: 'AbortError' });
});
