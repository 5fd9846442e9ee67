import { test } from 'tap';

import { StepBackoff, type Step } from '../../src/controller/step-backoff.ts';

const publish = (content: string, key = 'configuration'): Step => ({ key, verb: 'publish', content });
const retire: Step = { key: 'ca', verb: 'retire', content: '' };

test('a step that is undone again and again comes later each time', async (t) => {
  let now = 0;
  const steps = new StepBackoff(undefined, () => now);
  const delays: number[] = [];
  for (let times = 0; times < 9; times++) {
    steps.taken(publish('one'));
    const delay = steps.delay(publish('one'));
    delays.push(delay);
    t.equal(steps.delay(publish('two')), 0, 'other content is another step');
    t.equal(steps.delay(publish('one', 'another')), 0, 'and so is another object');
    t.equal(steps.delay(retire), 0, 'and another verb');
    now += delay;
    t.equal(steps.delay(publish('one')), 0, 'in the end it comes');
  }
  for (const [index, least] of [1, 2, 4, 8, 16, 32, 60, 60, 60].entries()) {
    const delay = delays[index] ?? 0;
    t.ok(delay >= least * 1000 && delay <= least * 1500, `${delay} ms, at least ${least} s`);
  }
});

test('a dispute is told once, lasts while it goes on, and is over after ten quiet minutes', async (t) => {
  let now = 0;
  const steps = new StepBackoff(undefined, () => now);
  const take = (step: Step): boolean => {
    now += Math.max(steps.delay(step), 180_000);
    return steps.taken(step);
  };
  t.same(
    Array.from({ length: 8 }, () => take(publish('one'))),
    [false, false, false, true, false, false, false, false],
    'also with somebody who writes every three minutes only',
  );
  t.same(steps.disputed(), ['configuration']);
  steps.retain(() => true);
  t.same(steps.disputed(), ['configuration']);
  now += 600_000;
  t.same(steps.disputed(), []);
  t.equal(steps.taken(publish('one')), false);
  t.ok(steps.delay(publish('one')) <= 1500, 'and the delays begin anew');
});

test('what is deleted and created in turn is a dispute as well', async (t) => {
  let now = 0;
  const steps = new StepBackoff(undefined, () => now);
  const told: boolean[] = [];
  for (let times = 0; times < 5; times++) {
    for (const verb of ['create', 'delete']) {
      const step = { key: 'shop/regcred', verb, content: 'same' };
      now += steps.delay(step);
      told.push(steps.taken(step));
    }
  }
  t.equal(told.filter(Boolean).length, 2, 'once for each verb');
  t.same(steps.disputed(), ['shop/regcred']);
  steps.retain((key) => key !== 'shop/regcred');
  t.same(steps.disputed(), [], 'what is not wanted any more is no dispute');
});

test('renewals of a certificate, with weeks between them, are no dispute', async (t) => {
  let now = 0;
  const steps = new StepBackoff(undefined, () => now);
  for (let renewals = 0; renewals < 5; renewals++, now += 60 * 86_400_000) {
    t.equal(steps.delay(retire), 0);
    t.equal(steps.taken(retire), false);
    t.ok(steps.delay(retire) <= 1500);
  }
  t.same(steps.disputed(), []);
});
