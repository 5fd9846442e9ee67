import { mock } from 'node:test';
import { test } from 'tap';

import { electLeader, type ElectionOptions } from '../../src/cluster/lease.ts';
import { eventually } from './eventually.ts';
import { type MisbehavingServer, misbehavingServer, sendJson, status } from './misbehaving-server.ts';

const lease = { namespace: 'transship', name: 'controller' };
const path = '/apis/coordination.k8s.io/v1/namespaces/transship/leases/controller';

interface StoredLease {
  metadata: { resourceVersion: string };
  spec: { holderIdentity: string; leaseDurationSeconds: number; renewTime: string; acquireTime: string; leaseTransitions: number };
}

/** One Lease with optimistic concurrency, as the API server has it; `fault` comes first. */
function serveLease(server: MisbehavingServer): {
  stored: StoredLease | null;
  fault: MisbehavingServer['answer'] | null;
  write(spec: Partial<StoredLease['spec']>): void;
} {
  const state = {
    stored: null as StoredLease | null,
    fault: null as MisbehavingServer['answer'] | null,
    write: (spec: Partial<StoredLease['spec']>): void => {
      const before = state.stored ?? {
        metadata: { resourceVersion: '0' },
        spec: { holderIdentity: '', leaseDurationSeconds: 1, renewTime: '', acquireTime: '', leaseTransitions: 0 },
      };
      state.stored = {
        metadata: { resourceVersion: String(Number(before.metadata.resourceVersion) + 1) },
        spec: { ...before.spec, ...spec },
      };
    },
  };
  server.answer = (request, response, number) => {
    const chunks: Buffer[] = [];
    request.on('data', (chunk: Buffer) => chunks.push(chunk));
    request.on('end', () => {
      if (state.fault !== null) return state.fault(request, response, number);
      if (request.method === 'GET')
        return state.stored === null ? sendJson(response, 404, status(404, 'NotFound')) : sendJson(response, 200, state.stored);
      const sent = JSON.parse(Buffer.concat(chunks).toString()) as StoredLease;
      const current = state.stored?.metadata.resourceVersion;
      if (request.method === 'PUT' && current === undefined) return sendJson(response, 404, status(404, 'NotFound'));
      if (request.method === 'POST' ? current !== undefined : sent.metadata.resourceVersion !== current)
        return sendJson(response, 409, status(409, 'Conflict'));
      state.write(sent.spec);
      return sendJson(response, 200, state.stored);
    });
  };
  return state;
}

type Recorded = ReturnType<typeof candidate>;

function candidate(server: MisbehavingServer, identity: string, options: Partial<ElectionOptions> = {}) {
  const said: string[] = [];
  const errors: unknown[] = [];
  const cluster = server.cluster();
  const election = electLeader(cluster, {
    ...lease,
    identity,
    leaseSeconds: 1,
    renewSeconds: 0.2,
    onElected: () => said.push('elected'),
    onLost: (reason) => said.push(`lost: ${reason}`),
    onError: (error) => errors.push(error),
    ...options,
  });
  return { election, said, errors, cluster };
}

const leaders = (...candidates: Recorded[]): number => candidates.filter(({ election }) => election.isLeader).length;

test('the first candidate creates the Lease, renews it, and gives it up', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  const { election, said } = candidate(server, 'one');
  t.notOk(election.isLeader);
  await eventually('elected', () => election.isLeader);
  t.match(state.stored?.spec, { holderIdentity: 'one', leaseDurationSeconds: 1, leaseTransitions: 0, acquireTime: /^\d{4}-.*\.\d{6}Z$/ });
  const acquired = state.stored?.spec.acquireTime;
  await eventually('renewed', () => Number(state.stored?.metadata.resourceVersion) >= 4);
  t.equal(state.stored?.spec.acquireTime, acquired, 'a renewal does not change when it was acquired');
  t.same(said, ['elected']);
  const reads = server.arrivals.filter(({ method }) => method === 'GET').length;
  t.equal(reads, 1, 'the leader does not read what it wrote itself');
  await election.release();
  t.notOk(election.isLeader);
  t.equal(state.stored?.spec.holderIdentity, '');
  t.same(said, ['elected'], 'who releases is not told that it lost');
  const { length } = server.arrivals;
  await election.release();
  t.ok(server.arrivals.length <= length + 1, 'nothing goes on');
});

test('a Lease that is given up is taken at once', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  const one = candidate(server, 'one', { leaseSeconds: 3600, renewSeconds: 0.1 });
  await eventually('one leads', () => one.election.isLeader);
  const two = candidate(server, 'two', { leaseSeconds: 3600, renewSeconds: 0.1 });
  t.teardown(() => two.election.release());
  await eventually(
    'two has looked',
    () => two.cluster !== undefined && server.arrivals.filter(({ method }) => method === 'GET').length >= 3,
  );
  t.notOk(two.election.isLeader);
  await one.election.release();
  await eventually('two leads', () => two.election.isLeader);
  t.equal(state.stored?.spec.leaseTransitions, 1);
});

test('a leader that died is waited for, by the duration it wrote, whatever the clocks say', async (t) => {
  const times = ['2001-01-01T00:00:00.000000Z', '2099-01-01T00:00:00.000000Z', 'nonsense'];
  for (const renewTime of times) {
    const server = await misbehavingServer(t);
    const state = serveLease(server);
    state.write({ holderIdentity: 'dead', leaseDurationSeconds: 1, renewTime });
    const began = performance.now();
    const { election } = candidate(server, 'heir');
    await eventually('taken over', () => election.isLeader);
    t.ok(performance.now() - began >= 1000, `not before its time, with ${renewTime}`);
    t.equal(state.stored?.spec.leaseTransitions, 1);
    await election.release();
  }
});

test('a leader that died is waited for no longer than its lease: the next poll was once waited for as well', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  state.write({ holderIdentity: 'dead', leaseDurationSeconds: 1 });
  const renewSeconds = 4;
  const begin = performance.now();
  const { election } = candidate(server, 'heir', { leaseSeconds: 12, renewSeconds });
  await eventually('the heir leads', () => election.isLeader);
  const seconds = (performance.now() - begin) / 1000;
  t.ok(seconds >= 1, `${seconds} s`);
  t.ok(seconds < renewSeconds * 0.8, 'before the second poll');
  await election.release();
});

test('setting the clock does not change the leader', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  const one = candidate(server, 'one', { leaseSeconds: 3, renewSeconds: 0.2 });
  await eventually('one leads', () => one.election.isLeader);
  const two = candidate(server, 'two', { leaseSeconds: 3, renewSeconds: 0.2 });
  t.teardown(() => Promise.all([one.election.release(), two.election.release()]));
  const now = Date.now();
  mock.timers.enable({ apis: ['Date'], now });
  t.teardown(() => mock.timers.reset());
  for (const step of [86_400_000, 0, 2 * 86_400_000]) {
    mock.timers.setTime(now + step);
    const version = Number(state.stored?.metadata.resourceVersion);
    await eventually('renewed some times', () => Number(state.stored?.metadata.resourceVersion) > version + 3);
  }
  t.same([one.said, two.said], [['elected'], []]);
});

test('any write of the holder starts the time anew', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  state.write({ holderIdentity: 'alive', renewTime: 'x' });
  const alive = setInterval(() => state.write({}), 250);
  t.teardown(() => clearInterval(alive));
  const { election } = candidate(server, 'other');
  t.teardown(() => election.release());
  await eventually('it has looked for two lease times', () => server.arrivals.length >= 10);
  t.notOk(election.isLeader);
  clearInterval(alive);
  await eventually('taken over after the last write', () => election.isLeader);
});

test('of many candidates never two lead', async (t) => {
  const server = await misbehavingServer(t);
  serveLease(server);
  const candidates = ['a', 'b', 'c', 'd'].map((identity) => candidate(server, identity));
  let most = 0;
  const looking = setInterval(() => {
    most = Math.max(most, leaders(...candidates));
  }, 1);
  t.teardown(() => clearInterval(looking));
  for (let round = 0; round < 3; round++) {
    await eventually('one leads', () => leaders(...candidates) === 1);
    const leading = candidates.findIndex(({ election }) => election.isLeader);
    await candidates[leading]?.election.release();
    candidates.splice(leading, 1);
  }
  await eventually('the last one leads', () => leaders(...candidates) === 1);
  t.equal(most, 1);
  await Promise.all(candidates.map(({ election }) => election.release()));
});

const outages: [name: string, fault: (server: MisbehavingServer, state: ReturnType<typeof serveLease>) => unknown][] = [
  ['500', (_server, state) => (state.fault = (_request, response) => sendJson(response, 500, null))],
  ['no answer', (_server, state) => (state.fault = () => {})],
  ['reset', (_server, state) => (state.fault = (request) => request.socket.destroy())],
  ['gone', (server) => server.stop()],
];
for (const [name, fault] of outages) {
  test(`the API server fails (${name}): the leader stops before another can win, and is a candidate again`, async (t) => {
    const server = await misbehavingServer(t);
    const state = serveLease(server);
    let isLost = false;
    const said: string[] = [];
    const { election, errors } = candidate(server, 'one', {
      onElected: () => said.push('elected'),
      onLost: (reason) => {
        isLost = true;
        said.push(reason);
      },
    });
    t.teardown(() => election.release());
    await eventually('leads', () => election.isLeader);
    await fault(server, state);
    const lastWrite = performance.now();
    let ledUntil = 0;
    await eventually('lost', () => {
      if (election.isLeader) ledUntil = performance.now();
      return isLost;
    });
    t.notOk(election.isLeader);
    t.ok(ledUntil - lastWrite < 1000, 'within the lease time of the last write');
    t.same(said, ['elected', 'the lease could not be renewed in time']);
    t.ok(errors.length > 0, 'the failed calls were reported');
    state.fault = null;
    await server.listen().catch(() => {});
    await eventually('elected again', () => election.isLeader);
  });
}

test('a leader that finds another holder stops at once; one that finds itself goes on', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  const { election, said } = candidate(server, 'one', { leaseSeconds: 30, renewSeconds: 0.2 });
  t.teardown(() => election.release());
  await eventually('leads', () => election.isLeader);
  const before = Number(state.stored?.metadata.resourceVersion);
  state.write({});
  await eventually('it renewed over the unknown version', () => Number(state.stored?.metadata.resourceVersion) > before + 2);
  t.same(said, ['elected']);
  state.write({ holderIdentity: 'thief' });
  await eventually('lost', () => !election.isLeader);
  t.same(said, ['elected', 'lost: the lease was taken by thief']);
  t.equal(state.stored?.spec.holderIdentity, 'thief', 'and leaves it alone');
});

test('a leader whose Lease was deleted stops at once, and is a candidate for the next', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  const { election, said } = candidate(server, 'one', { leaseSeconds: 3600, renewSeconds: 0.2 });
  t.teardown(() => election.release());
  await eventually('leads', () => election.isLeader);
  state.stored = null;
  await eventually('leads again', () => said.length === 3);
  t.same(said, ['elected', 'lost: the lease was deleted', 'elected']);
});

test('a renewal whose answer came after its time was over is a loss', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  const { election, said } = candidate(server, 'one');
  t.teardown(() => election.release());
  await eventually('leads', () => election.isLeader);
  const answer = server.answer;
  server.answer = (request, response, number) => {
    answer(request, response, number);
    // The server has written, and this process stands still for longer than its lease before it reads the answer.
    request.on('end', () => {
      server.answer = answer;
      state.fault = (_request, later) => sendJson(later, 500, null);
      Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100);
    });
  };
  await eventually('lost', () => said.length > 1);
  t.match(said, ['elected', 'lost: the lease could not be renewed in time']);
});

test('a write whose answer was lost is found to be its own', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  const answer = server.answer;
  let writes = 0;
  server.answer = (request, response, number) => {
    if (request.method !== 'GET' && writes++ === 0) {
      // It is stored, and the connection breaks before the answer.
      response.end = () => (request.socket.destroy(), response);
    }
    answer(request, response, number);
  };
  const { election, said } = candidate(server, 'one', { leaseSeconds: 3600 });
  t.teardown(() => election.release());
  await eventually('leads', () => election.isLeader);
  t.same(said, ['elected']);
  t.equal(state.stored?.spec.leaseTransitions, 0);
});

test('a process that was suspended does not believe that it leads', async (t) => {
  const server = await misbehavingServer(t);
  serveLease(server);
  const { election } = candidate(server, 'one');
  t.teardown(() => election.release());
  await eventually('leads', () => election.isLeader);
  // Nothing runs for longer than the lease: no timer had a chance to tell.
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, 1100);
  t.notOk(election.isLeader);
});

test('exceptions of callbacks are reported, and the election goes on', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  const { election, errors } = candidate(server, 'one', {
    onElected: () => {
      throw new Error('thrown');
    },
  });
  t.teardown(() => election.release());
  await eventually('renewed', () => Number(state.stored?.metadata.resourceVersion) >= 3);
  t.match(errors, [{ message: 'thrown' }]);
  t.ok(election.isLeader);
});

test('release in every state leaves no socket and no call', async (t) => {
  const server = await misbehavingServer(t);
  const state = serveLease(server);
  state.fault = () => {};
  const waiting = candidate(server, 'waiting');
  await eventually('it has asked', () => server.arrivals.length === 1);
  await waiting.election.release();
  const early = candidate(server, 'early');
  await early.election.release();
  await Promise.all([waiting.cluster.close(), early.cluster.close()]);
  await eventually('no socket is left', () => server.sockets.size === 0);
  t.same([waiting.said, waiting.errors, early.said, early.errors], [[], [], [], []]);
  t.equal(server.arrivals.filter((arrival) => arrival.path !== path).length, 0);
});

test('times that leave no room for a second try are refused', async (t) => {
  const server = await misbehavingServer(t);
  for (const [leaseSeconds, renewSeconds] of [
    [3, 2],
    [3, 0],
    [0, 0],
  ] as const) {
    t.throws(() => candidate(server, 'one', { leaseSeconds, renewSeconds }), RangeError);
  }
});
