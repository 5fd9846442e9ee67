import { test } from 'tap';

import { Disputes } from '../../src/controller/disputes.ts';

function clocked(maxDelay = 60_000) {
  const clock = { now: 0 };
  return { clock, disputes: new Disputes({ minDelay: 1_000, maxDelay }, () => clock.now) };
}

test('repeated repairs: three at once, then after growing delays', (t) => {
  const { clock, disputes } = clocked();
  const delays: number[] = [];
  disputes.written('a', 'one');
  for (let repairs = 0; repairs < 12; repairs++) {
    delays.push(disputes.delay('a', 'one'));
    t.ok(disputes.delay('a', 'two') <= 0, 'other content is not held back');
    t.ok(disputes.delay('b', 'one') <= 0, 'nor another object');
    clock.now += Math.max(0, delays.at(-1) ?? 0);
    disputes.written('a', 'one');
  }
  for (const [index, least] of [0, 0, 0, 1, 2, 4, 8, 16, 32, 60, 60, 60].entries()) {
    const delay = delays[index] ?? 0;
    t.ok(delay >= least * 1000 && delay <= least * 1500, `${delay} ms, at least ${least} s`);
  }
  t.end();
});

test('a dispute is reported once, and is over after 15 minutes without a repair', (t) => {
  const { clock, disputes } = clocked();
  const written = Array.from({ length: 10 }, () => {
    clock.now += 180_000;
    return disputes.written('a', 'one');
  });
  t.same(
    written.flatMap((isTold, index) => (isTold ? [index] : [])),
    [5],
    'also with somebody who writes every three minutes only',
  );
  t.same(disputes.disputed(), ['a']);
  disputes.retain(() => true);
  t.same(disputes.disputed(), ['a']);
  clock.now += 15 * 60_000 + 1;
  t.same(disputes.disputed(), []);
  t.equal(disputes.written('a', 'one'), false);
  t.ok(disputes.delay('a', 'one') <= 0, 'and begins anew');
  t.end();
});

test('renewals of a certificate, with weeks between them, are no dispute', (t) => {
  const { clock, disputes } = clocked();
  for (let renewals = 0; renewals < 20; renewals++, clock.now += 60 * 86_400_000) {
    t.equal(disputes.written('a', 'one'), false);
    t.ok(disputes.delay('a', 'one') <= 0);
  }
  t.same(disputes.disputed(), []);
  t.end();
});

test('an object that is no longer wanted is not disputed', (t) => {
  const { disputes } = clocked();
  for (let writes = 0; writes < 9; writes++) disputes.written('a', 'one');
  t.ok(disputes.isDisputed('a'));
  disputes.retain(() => false);
  t.notOk(disputes.isDisputed('a'));
  t.end();
});
