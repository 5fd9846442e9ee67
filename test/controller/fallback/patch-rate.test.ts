import { test } from 'tap';

import { PatchRate } from '../../../src/controller/fallback/patch-rate.ts';

test('a burst, then so many a second', (t) => {
  let now = 0;
  const rate = new PatchRate({ perSecond: 5, burst: 3 }, () => now);
  t.strictSame([rate.take(), rate.take(), rate.take()], [0, 0, 0]);
  t.equal(rate.take(), 200, 'the next is due in a fifth of a second');
  t.equal(rate.take(), 200, 'who was told to wait has taken nothing');
  now += 200;
  t.strictSame([rate.take(), rate.take()], [0, 200]);
  now += 60_000;
  t.strictSame([rate.take(), rate.take(), rate.take(), rate.take()], [0, 0, 0, 200], 'a pause saves up one burst, not more');
  t.end();
});
