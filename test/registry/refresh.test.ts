import { test, type Test } from 'tap';
import type { CredentialProvider, HostCredential } from '../../src/registry/credentials.ts';
import { refreshDelay } from '../../src/registry/refresh-schedule.ts';
import { keepFresh, type Refresher, type RefreshFailure, type RefreshOptions, type Schedule } from '../../src/registry/refresh.ts';

const second = 1000;
const minute = 60 * second;
const hour = 60 * minute;
const almostOne = 1 - Number.EPSILON;

test('the next token is requested before half of the lifetime', (t) => {
  const table: { name: string; life: number | null; random: number; delay: number }[] = [
    { name: 'ECR, latest', life: 12 * hour, random: 0, delay: 6 * hour },
    { name: 'ECR, earliest', life: 12 * hour, random: almostOne, delay: 4.8 * hour },
    { name: 'ACR', life: 3 * hour, random: 0.5, delay: 81 * minute },
    { name: 'Artifact Registry', life: hour, random: 0, delay: 30 * minute },
    { name: 'the rest of a token that a metadata server gave out again', life: 10 * minute, random: 0, delay: 5 * minute },
    { name: 'seconds left: not more often than this', life: 5 * second, random: 0, delay: 10 * second },
    { name: 'an end that nobody told', life: null, random: 0, delay: 30 * minute },
    { name: 'a life beyond what a timer holds', life: 365 * 24 * hour, random: 0, delay: 6 * hour },
  ];
  for (const { name, life, random, delay } of table) t.equal(Math.round(refreshDelay(life, random)), delay, name);
  t.end();
});

/** Doubles from 5 seconds to 5 minutes, without jitter. */
function exactBackoff(): RefreshOptions['backoff'] {
  let next = 5 * second;
  return {
    next: () => {
      const delay = next;
      next = Math.min(2 * next, 5 * minute);
      return delay;
    },
    reset: () => {
      next = 5 * second;
    },
  };
}

interface Clock {
  readonly now: () => number;
  readonly schedule: Schedule;
  /** Runs what falls due, in order, and lets each finish. */
  readonly advance: (milliseconds: number) => Promise<void>;
  /** Milliseconds from now, of what is still to run. */
  readonly waiting: () => number[];
}

/** Until every promise that could go on has gone on. */
const settle = async (): Promise<void> => await new Promise((resolve) => setImmediate(resolve));

function fakeClock(): Clock {
  let time = 1_000_000;
  let jobs: { at: number; run: () => void }[] = [];
  return {
    now: () => time,
    schedule: (run, delay) => {
      const job = { at: time + delay, run };
      jobs.push(job);
      return () => {
        jobs = jobs.filter((other) => other !== job);
      };
    },
    advance: async (milliseconds) => {
      const end = time + milliseconds;
      await settle();
      for (;;) {
        const next = jobs.toSorted((a, b) => a.at - b.at)[0];
        if (next === undefined || next.at > end) break;
        jobs = jobs.filter((other) => other !== next);
        time = next.at;
        next.run();
        await settle();
      }
      time = end;
    },
    waiting: () => jobs.map(({ at }) => at - time).toSorted((a, b) => a - b),
  };
}

/** What the cloud does next: a life in milliseconds, an error, or nothing until it is aborted. */
type Next = number | Error | 'hang';

interface Run {
  readonly clock: Clock;
  readonly refresher: Refresher;
  readonly given: (readonly HostCredential[])[];
  readonly failed: RefreshFailure[];
  readonly requests: () => number;
  readonly mostAtOnce: () => number;
}

function start(t: Test, script: readonly Next[], options: Partial<RefreshOptions> = {}): Run {
  const clock = fakeClock();
  const given: (readonly HostCredential[])[] = [];
  const failed: RefreshFailure[] = [];
  let requests = 0;
  let open = 0;
  let most = 0;
  const provider: CredentialProvider = {
    name: 'test',
    fetch: async (signal) => {
      const next = script[Math.min(requests, script.length - 1)] ?? 'hang';
      requests += 1;
      open += 1;
      most = Math.max(most, open);
      try {
        if (next === 'hang') await new Promise((_resolve, reject) => signal.addEventListener('abort', () => reject(new Error('aborted'))));
        if (next instanceof Error) throw next;
        return [
          {
            host: 'a.example',
            credential: {
              username: 'user',
              password: `token-${requests}`,
              expiresAt: typeof next === 'number' ? new Date(clock.now() + next) : null,
            },
          },
        ];
      } finally {
        open -= 1;
      }
    },
  };
  const refresher = keepFresh(provider, {
    onCredential: (entries) => void given.push(entries),
    onFailure: (failure) => void failed.push(failure),
    backoff: exactBackoff(),
    now: clock.now,
    schedule: clock.schedule,
    random: () => 0,
    ...options,
  });
  t.teardown(refresher.stop);
  return { clock, refresher, given, failed, requests: () => requests, mostAtOnce: () => most };
}

test('a token at once, then one before half of the life of each', async (t) => {
  const { clock, refresher, given, failed, requests, mostAtOnce } = start(t, [hour]);
  t.strictSame(refresher.status(), { fetchedAt: null, ageSeconds: null, expiresAt: null, failures: 0 });
  const began = clock.now();
  await clock.advance(0);
  t.equal(given.length, 1);
  await clock.advance(10 * minute);
  t.strictSame(refresher.status(), { fetchedAt: new Date(began), ageSeconds: 600, expiresAt: new Date(began + hour), failures: 0 });
  await clock.advance(24 * hour - 11 * minute);
  t.equal(requests(), 48, 'every 30 minutes, for a day less a minute');
  t.equal(given.length, 48);
  t.equal(mostAtOnce(), 1);
  t.strictSame(failed, []);
  t.strictSame(clock.waiting(), [minute], 'one timer, and no deadline left behind');
});

test('the earliest end of several hosts counts', async (t) => {
  const clock = fakeClock();
  const ends = [3, 1, 2].map((hours) => new Date(clock.now() + hours * hour));
  const entries = ends.map((expiresAt, index) => ({ host: `${index}.example`, credential: { username: 'u', password: 'p', expiresAt } }));
  const refresher = keepFresh(
    { name: 'test', fetch: async () => entries },
    { onCredential: () => {}, onFailure: () => {}, backoff: exactBackoff(), ...clock, random: () => 0 },
  );
  t.teardown(refresher.stop);
  await clock.advance(0);
  t.strictSame(refresher.status().expiresAt, ends[1]);
  t.strictSame(clock.waiting(), [30 * minute]);
});

test('failures: the last good token stays, tries slow down to the cap, a success starts over', async (t) => {
  const down = new Error('down');
  const { clock, refresher, given, failed } = start(t, [hour, ...Array.from({ length: 9 }, () => down), hour]);
  await clock.advance(30 * minute);
  t.equal(given.length, 1);
  t.match(refresher.status(), { ageSeconds: 1800, failures: 1 }, 'it ages, and is still there');
  await clock.advance(20 * minute);
  t.strictSame(
    failed.map(({ retryIn }) => retryIn / second),
    [5, 10, 20, 40, 80, 160, 300, 300, 300],
  );
  t.strictSame(
    failed.map(({ failures }) => failures),
    [1, 2, 3, 4, 5, 6, 7, 8, 9],
  );
  t.ok(failed.every(({ error }) => error === down));
  t.equal(given.length, 1, 'nothing was handed out that is not a token');
  await clock.advance(5 * minute);
  t.equal(given.length, 2);
  t.equal(refresher.status().failures, 0);
});

test('a request without a response is repeated after the timeout, never concurrently', async (t) => {
  const { clock, given, failed, requests, mostAtOnce } = start(t, ['hang', 'hang', hour]);
  await clock.advance(29 * second);
  t.equal(requests(), 1);
  t.strictSame(failed, []);
  await clock.advance(second);
  t.equal(failed.length, 1);
  await clock.advance(5 * second + 30 * second + 10 * second);
  t.equal(failed.length, 2);
  t.equal(given.length, 1);
  t.equal(mostAtOnce(), 1);
});

test('credentials that could not be handed over are fetched and handed over again', async (t) => {
  let refuse = true;
  const taken: number[] = [];
  const { clock, refresher, failed } = start(t, [hour], {
    onCredential: async () => {
      if (refuse) throw new Error('the Secret was not written');
      taken.push(1);
    },
  });
  await clock.advance(0);
  t.match(failed, [{ error: { message: 'the Secret was not written' }, failures: 1 }]);
  t.equal(refresher.status().fetchedAt, null, 'they are not in use');
  refuse = false;
  await clock.advance(5 * second);
  t.strictSame(taken, [1]);
});

test('stop aborts the request, and no callback runs afterwards', async (t) => {
  const table: { name: string; script: Next[]; before: number; given: number }[] = [
    { name: 'while it waits for the next refresh', script: [hour], before: minute, given: 1 },
    { name: 'while a request is open', script: ['hang'], before: second, given: 0 },
    { name: 'while it waits to try again', script: [new Error('down')], before: second, given: 0 },
    { name: 'before the first answer', script: [hour], before: -1, given: 0 },
  ];
  for (const { name, script, before, given: expected } of table) {
    const { clock, refresher, given, failed, requests } = start(t, script);
    if (before >= 0) await clock.advance(before);
    const failures = failed.length;
    await refresher.stop();
    t.strictSame(clock.waiting(), [], `${name}: no timer is left`);
    const asked = requests();
    await clock.advance(24 * hour);
    t.equal(requests(), asked, `${name}: no request`);
    t.equal(given.length, expected, `${name}: no credential`);
    t.equal(failed.length, failures, `${name}: no failure is told`);
  }
});

test('stopping waits for a hand-over that has begun', async (t) => {
  const handOver = Promise.withResolvers<void>();
  const { clock, refresher } = start(t, [hour], { onCredential: async () => await handOver.promise });
  await clock.advance(0);
  let stopped = false;
  const stopping = refresher.stop().then(() => {
    stopped = true;
  });
  await clock.advance(0);
  t.equal(stopped, false);
  handOver.resolve();
  await stopping;
  t.strictSame(clock.waiting(), []);
});

test('with the timers of Node', async (t) => {
  const given = Promise.withResolvers<readonly HostCredential[]>();
  const refresher = keepFresh(
    { name: 'test', fetch: async () => [{ host: 'a.example', credential: { username: 'u', password: 'p', expiresAt: null } }] },
    { onCredential: given.resolve, onFailure: ({ error }) => given.reject(error), backoff: exactBackoff() },
  );
  t.equal((await given.promise)[0]?.host, 'a.example');
  await refresher.stop();
  t.match(refresher.status(), { expiresAt: null, failures: 0 });
});
