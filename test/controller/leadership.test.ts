/** Who runs when: reconcilers of one leadership end before those of the next start, and what /readyz says in between. */
import { pino } from 'pino';
import { test } from 'tap';

import { Leadership } from '../../src/controller/leadership.ts';
import type { Reconciler, ReconcilerContext } from '../../src/controller/reconciler.ts';

/** A leadership of one reconciler that records what happens to it, and stops when told. */
function observed({ quiet = 0, problems = [] as readonly string[], hasPolicy = true } = {}) {
  const policy = { isLoaded: hasPolicy };
  const events: string[] = [];
  const stops: (() => void)[] = [];
  let made = 0;
  let isReady = false;
  const make = (): Reconciler => {
    made += 1;
    const number = made;
    return {
      name: 'secrets',
      start: () => void events.push(`start ${number}`),
      stop: () => {
        events.push(`stop ${number}`);
        return new Promise((resolve) => stops.push(resolve));
      },
      isReady: () => isReady,
      problems: () => problems,
      policyChanged: () => void events.push(`policy ${number}`),
    };
  };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- only the log is used
  const context = { log: pino({ level: 'silent' }) } as ReconcilerContext;
  const leadership = new Leadership({
    parts: [{ name: 'secrets', create: make }],
    context,
    quiet,
    mayStart: () => policy.isLoaded,
    policyProblems: () => (policy.isLoaded ? [] : ['it has errors']),
  });
  return { leadership, events, stops, ready: () => (isReady = true), policy };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

test('reconcilers start when elected and stop when lost, one leadership after the other', async (t) => {
  const { leadership, events, stops } = observed();
  leadership.policyChanged();
  leadership.won();
  await settled();
  leadership.policyChanged();
  leadership.lost('gone');
  leadership.won();
  await settled();
  t.same(events, ['start 1', 'policy 1', 'stop 1'], 'the next waits for the one before');
  stops[0]?.();
  await settled();
  t.same(events.slice(3), ['start 2']);
  leadership.lost('gone');
  leadership.won();
  leadership.lost('gone');
  await settled();
  stops[1]?.();
  await settled();
  t.same(events.slice(4), ['stop 2'], 'a leadership that was lost while it waited starts nothing');
  await leadership.stop();
});

test('/readyz is honest', async (t) => {
  const fresh = observed({ quiet: 60_000 });
  t.equal(fresh.leadership.readiness().ready, false, 'the lease may be out of reach');
  const standing = observed();
  await new Promise((resolve) => setTimeout(resolve, 5));
  t.same(standing.leadership.readiness(), { ready: true, lines: ['standing by'] });
  standing.leadership.won();
  t.same(standing.leadership.readiness(), { ready: false, lines: ['leading', 'secrets: not ready'] }, 'nothing runs yet');
  await settled();
  t.same(standing.leadership.readiness(), { ready: false, lines: ['leading', 'secrets: not ready'] });
  standing.ready();
  t.same(standing.leadership.readiness(), { ready: true, lines: ['leading', 'secrets: ready'] });
  standing.leadership.startDraining();
  t.same(standing.leadership.readiness(), { ready: false, lines: ['shutting down'] });
  const troubled = observed({ quiet: 60_000 });
  troubled.leadership.failed('connect ECONNREFUSED');
  t.match(troubled.leadership.readiness(), { ready: false, lines: [/not reachable/] });
});

test('of many problems some are shown', async (t) => {
  const { leadership } = observed({ problems: Array.from({ length: 12 }, (_, index) => `problem ${index}`) });
  leadership.won();
  await settled();
  const { lines } = leadership.readiness();
  t.equal(lines.length, 13);
  t.equal(lines.at(-1), 'secrets: and 2 more');
});

test('what needs a policy starts when one has loaded', async (t) => {
  const { leadership, events, policy } = observed({ hasPolicy: false });
  leadership.won();
  await settled();
  t.same(events, []);
  t.same(leadership.readiness(), { ready: false, lines: ['leading', 'policy: it has errors', 'secrets: not ready'] });
  policy.isLoaded = true;
  leadership.policyChanged();
  leadership.policyChanged();
  await settled();
  t.same(events, ['start 1'], 'once');
  leadership.lost('gone');
  leadership.policyChanged();
  await settled();
  t.same(events, ['start 1', 'stop 1'], 'and nothing without leading');
});
