/** The states of a breaker, with a clock as argument. */
import assert from 'node:assert/strict';
import * as fc from '../../random/fast-check.ts';
import { test } from 'tap';

import { Breaker, isOfReach, maxInterval, type Transition } from '../../../src/controller/breaker/breaker.ts';
import { breakersText, parseBreakers } from '../../../src/controller/breaker/breakers-text.ts';
import type { PullFailureCode } from '../../../src/pod/pull-failure.ts';
import { holds } from '../../image/property.ts';

const options = { isEnabled: true, pods: 3, window: 120_000, interval: 60_000 };
const start = Date.parse('2026-06-01T12:00:00Z');

type Step =
  | readonly [seconds: number, does: 'fail', pod: string, created?: number]
  | readonly [seconds: number, does: 'succeed', pod: string, created?: number]
  | readonly [seconds: number, does: 'try' | 'postpone'];

/** Seconds after the start; a pod is created when it fails or succeeds, unless told. */
function played(breaker: Breaker, steps: readonly Step[]): (Transition | null)[] {
  return steps.map(([seconds, does, pod = '', created = seconds]) => {
    const now = start + seconds * 1000;
    const createdAt = start + created * 1000;
    if (does === 'fail') return breaker.fail({ uid: pod, createdAt, reason: 'unreachable' }, now);
    if (does === 'succeed') return breaker.succeed(createdAt, now);
    if (does === 'try') return breaker.tryAgain(now);
    breaker.postpone(now);
    return null;
  });
}

const opening: readonly Step[] = [
  [0, 'fail', 'a'],
  [1, 'fail', 'b'],
  [2, 'fail', 'c'],
];

const rows: readonly {
  says: string;
  steps: readonly Step[];
  transitions: readonly (Transition | null)[];
  state?: 'open' | 'half-open';
  dueIn?: number;
}[] = [
  { says: 'as many pods within the window open it', steps: opening, transitions: [null, null, 'opened'], state: 'open', dueIn: 60 },
  {
    says: 'one pod counts once',
    steps: [
      [0, 'fail', 'a'],
      [1, 'fail', 'a'],
      [2, 'fail', 'a'],
    ],
    transitions: [null, null, null],
  },
  {
    says: 'and only within the window',
    steps: [
      [0, 'fail', 'a'],
      [1, 'fail', 'b'],
      [122, 'fail', 'c'],
    ],
    transitions: [null, null, null],
  },
  {
    says: 'a pod that fails again is within it again',
    steps: [
      [0, 'fail', 'a'],
      [100, 'fail', 'b'],
      [110, 'fail', 'a'],
      [200, 'fail', 'c'],
    ],
    transitions: [null, null, null, 'opened'],
    state: 'open',
    dueIn: 60,
  },
  {
    says: 'open, nothing changes but by time',
    steps: [...opening, [3, 'fail', 'd'], [4, 'succeed', 'e']],
    transitions: [null, null, 'opened', null, null],
    state: 'open',
    dueIn: 58,
  },
  { says: 'half-open', steps: [...opening, [62, 'try']], transitions: [null, null, 'opened', 'half-opened'], state: 'half-open' },
  {
    says: 'half-open, the first new pod that runs closes it',
    steps: [...opening, [62, 'try'], [70, 'succeed', 'd']],
    transitions: [null, null, 'opened', 'half-opened', 'closed'],
  },
  {
    says: 'half-open, the first new pod that fails opens it for longer',
    steps: [...opening, [62, 'try'], [70, 'fail', 'd']],
    transitions: [null, null, 'opened', 'half-opened', 'opened'],
    state: 'open',
    dueIn: 120,
  },
  {
    says: 'half-open, older pods say nothing',
    steps: [...opening, [62, 'try'], [63, 'fail', 'b', 1], [64, 'succeed', 'd', 60]],
    transitions: [null, null, 'opened', 'half-opened', null, null],
    state: 'half-open',
  },
  {
    says: 'closed, it takes as many pods again, and it is open longer',
    steps: [...opening, [62, 'try'], [70, 'succeed', 'd'], [71, 'fail', 'e'], [72, 'fail', 'f'], [73, 'fail', 'g']],
    transitions: [null, null, 'opened', 'half-opened', 'closed', null, null, 'opened'],
    state: 'open',
    dueIn: 120,
  },
  {
    says: 'not longer after ten minutes',
    steps: [...opening, [62, 'try'], [70, 'succeed', 'd'], [671, 'fail', 'e'], [672, 'fail', 'f'], [673, 'fail', 'g']],
    transitions: [null, null, 'opened', 'half-opened', 'closed', null, null, 'opened'],
    state: 'open',
    dueIn: 60,
  },
  {
    says: 'a registry that does not answer is asked again after an interval',
    steps: [...opening, [62, 'postpone']],
    transitions: [null, null, 'opened', null],
    state: 'open',
    dueIn: 60,
  },
  {
    says: 'closed, there is nothing to try or to postpone',
    steps: [
      [0, 'try'],
      [1, 'postpone'],
      [2, 'succeed', 'a'],
    ],
    transitions: [null, null, null],
  },
];

for (const { says, steps, transitions, state, dueIn } of rows)
  test(says, (t) => {
    const breaker = new Breaker(options);
    t.strictSame(played(breaker, steps), transitions);
    t.equal(breaker.tripped?.state, state);
    const last = start + (steps.at(-1)?.[0] ?? 0) * 1000;
    t.equal(breaker.dueAt === null ? undefined : (breaker.dueAt - last) / 1000, dueIn);
    const kept = new Map(breaker.tripped === null ? [] : [['mirror', breaker.tripped]]);
    t.strictSame(parseBreakers(breakersText(kept)), kept, 'the next leader knows it');
    t.end();
  });

test('the intervals grow to ten minutes', (t) => {
  const breaker = new Breaker(options);
  played(breaker, opening);
  const intervals = [];
  for (let seconds = 100; seconds < 20_000; seconds += 2_000) {
    played(breaker, [
      [seconds, 'try'],
      [seconds + 1, 'fail', `pod-${seconds}`],
    ]);
    intervals.push((breaker.tripped?.interval ?? 0) / 1000);
  }
  t.strictSame(intervals.slice(0, 5), [120, 240, 480, 600, 600]);
  t.equal(breaker.tripped?.failures, 13);
  t.equal(breaker.tripped?.since, start + 2000, 'since when it is unavailable');
  t.end();
});

test('a longer interval than ten minutes stays as it is', (t) => {
  const breaker = new Breaker({ ...options, pods: 1, interval: 3 * maxInterval });
  played(breaker, [
    [0, 'fail', 'a'],
    [1800, 'try'],
    [1801, 'fail', 'b'],
  ]);
  t.equal(breaker.tripped?.interval, 3 * maxInterval);
  t.end();
});

test('reasons of reach', (t) => {
  const of: PullFailureCode[] = ['unreachable', 'unknown-host', 'tls', 'too-many-requests'];
  const others: PullFailureCode[] = [
    'not-found',
    'unauthorized',
    'platform',
    'invalid-name',
    'never-pulled',
    'signature',
    'runtime',
    'unknown',
  ];
  t.ok(of.every(isOfReach));
  t.notOk(others.some(isOfReach));
  t.end();
});

test('text that is no state is a closed breaker', (t) => {
  const good =
    'a:\n  state: open\n  since: 2026-06-01T12:00:00.000Z\n  nextTry: 2026-06-01T12:01:00.000Z\n  intervalSeconds: 60\n  reason: tls\n  failures: 3\n';
  t.equal(parseBreakers(good).size, 1);
  const wrong = [
    ...['state: open', 'reason: tls', 'failures: 3', 'intervalSeconds: 60'].map((line) => good.replace(line, line.replace(/: .*/, ': x'))),
    good.replace('nextTry', 'triedSince'),
    good.replace('60', '-1'),
    good.replace('2026-06-01T12:00', 'never'),
    'a: 1',
    '- a',
    'a: *b',
    '{',
    '',
  ];
  for (const text of wrong) t.equal(parseBreakers(text).size, 0, text);
  t.end();
});

interface Action {
  readonly does: 'fail' | 'succeed' | 'try' | 'postpone' | 'restart';
  readonly after: number;
  readonly age: number;
  readonly pod: string;
}
const action: fc.Arbitrary<Action> = fc.record({
  does: fc.constantFrom('fail', 'fail', 'succeed', 'try', 'postpone', 'restart'),
  after: fc.nat(200),
  age: fc.nat(300),
  pod: fc.constantFrom('a', 'b', 'c', 'd', 'e'),
});

const allowed: Record<Transition, Transition[]> = { closed: ['opened'], opened: ['half-opened'], 'half-opened': ['closed', 'opened'] };

/** A new leader, which knows the text only. */
function restarted(breaker: Breaker): Breaker {
  const restored =
    parseBreakers(breakersText(new Map(breaker.tripped === null ? [] : [['mirror', breaker.tripped]]))).get('mirror') ?? null;
  assert.deepEqual(restored, breaker.tripped);
  return restored === null ? breaker : new Breaker(options, restored);
}

function step(breaker: Breaker, { does, age, pod }: Action, now: number): Transition | null {
  // As the controller does it: only when it is due.
  if (does === 'restart' || (does === 'try' && (breaker.dueAt ?? Number.POSITIVE_INFINITY) > start + now * 1000)) return null;
  return played(breaker, [does === 'fail' || does === 'succeed' ? [now, does, pod, now - age] : [now, does]])[0] ?? null;
}

holds(
  'whatever happens: opened, half-opened and closed follow each other, it opens at most once an interval, and a restart changes nothing',
  fc.property(fc.array(action, { maxLength: 60 }), (actions) => {
    let breaker = new Breaker(options);
    let now = 0;
    let opened = Number.NEGATIVE_INFINITY;
    let last: Transition = 'closed';
    for (const each of actions) {
      now += each.after;
      if (each.does === 'restart') breaker = restarted(breaker);
      const transition = step(breaker, each, now);
      if (transition === null) continue;
      assert.ok(allowed[last].includes(transition), `${last} -> ${transition}`);
      last = transition;
      if (transition !== 'opened') continue;
      assert.ok(now - opened >= options.interval / 1000);
      opened = now;
    }
  }),
  { numRuns: 500 },
);

test('a state that says 2099, of a clock that went back or of somebody who wrote it, ends like any other: it stayed until then', (t) => {
  const far = Date.parse('2099-01-01T00:00:00Z');
  const state = { since: far, at: far, interval: far, reason: 'tls', failures: 3 } as const;
  const open = new Breaker(options, { ...state, state: 'open' });
  open.keepTo(start);
  t.strictSame(open.tripped, { ...state, state: 'open', since: start, at: start + maxInterval, interval: maxInterval });
  const halfOpen = new Breaker(options, { ...state, state: 'half-open' });
  t.equal(halfOpen.succeed(start, start), 'closed', 'a pod of today decides');
  t.equal(new Breaker(options, { ...state, state: 'half-open' }).fail({ uid: 'a', createdAt: start, reason: 'tls' }, start), 'opened');
  t.end();
});

test('pods that failed by a clock that was ahead do not count an hour later', (t) => {
  const breaker = new Breaker(options);
  t.strictSame(
    played(breaker, [
      [3600, 'fail', 'a'],
      [3601, 'fail', 'b'],
      [0, 'fail', 'c'],
    ]),
    [null, null, null],
  );
  t.end();
});

holds(
  'however the clock jumps, an open breaker is due within its interval, and a half-open one is decided by the next pod',
  fc.property(fc.array(fc.tuple(action, fc.integer({ min: -100_000, max: 100_000 })), { maxLength: 40 }), (actions) => {
    let breaker = new Breaker(options);
    for (const [each, jump] of actions) {
      const now = Math.max(0, jump);
      if (each.does === 'restart') breaker = restarted(breaker);
      else played(breaker, [each.does === 'fail' || each.does === 'succeed' ? [now, each.does, each.pod, now] : [now, each.does]]);
      breaker.keepTo(start + now * 1000);
      assert.ok((breaker.dueAt ?? 0) <= start + now * 1000 + maxInterval);
      if (breaker.tripped?.state === 'half-open')
        assert.equal(restarted(breaker).fail({ uid: 'x', createdAt: start + now * 1000, reason: 'tls' }, start + now * 1000), 'opened');
    }
  }),
  { numRuns: 500 },
);
