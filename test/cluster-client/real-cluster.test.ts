import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { test, type Test } from 'tap';

import type { CoreV1Event, KubernetesObject, V1Secret } from '@kubernetes/client-node';

import { describeError, isConflict } from '../../src/cluster/api-error.ts';
import { connect, type Cluster } from '../../src/cluster/connection.ts';
import { recordEvent } from '../../src/cluster/events.ts';
import { electLeader } from '../../src/cluster/lease.ts';
import { applyObject, preconditionsOf } from '../../src/cluster/object-writes.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from './eventually.ts';
import { kill, runningProgram, startAgain, waitUntilReady } from '../cluster/running-program.ts';

const level1 = { skip: skipReason({ level: 1, helm: false }), timeout: 180_000 };

test('on a real API server', level1, async (suite) => {
  const plane = await startControlPlane(suite);
  const cluster = await connect({ kubeconfig: plane.kubeconfig });
  suite.teardown(() => cluster.close());
  await suite.test('server-side apply', (t) => applies(t, cluster, plane));
  await suite.test('events', (t) => records(t, cluster, plane));
  await suite.test('a leader that is killed is followed within its lease', (t) => killsLeader(t, cluster, plane));
  await suite.test('the API server goes: the leader stops before its lease is over', (t) => losesServer(t, cluster, plane));
});

const secret = (data: Record<string, string>): KubernetesObject & { data: unknown } => ({
  apiVersion: 'v1',
  kind: 'Secret',
  metadata: { name: 'pull', namespace: 'default' },
  data: Object.fromEntries(Object.entries(data).map(([key, value]) => [key, Buffer.from(value).toString('base64')])),
});

async function applies(t: Test, cluster: Cluster, plane: ControlPlane): Promise<void> {
  const { signal } = new AbortController();
  const path = '/api/v1/namespaces/default/secrets/pull';
  const read = async () => (await plane.api.send<V1Secret>('GET', path)).body;
  const created = await applyObject(cluster, secret({ a: '1' }), signal);
  t.equal(await applyObject(cluster, secret({ a: '1' }), signal), created, 'the same again writes nothing');
  const other = await plane.api.send('PATCH', `${path}?fieldManager=other`, secret({ a: '2' }), 'application/apply-patch+yaml');
  t.match(other, { status: 409, body: { message: /conflict with "transship-controller".*\.data\.a/ } }, 'the field is ours');
  await plane.api.send('PATCH', `${path}?fieldManager=other`, { data: { b: 'Yg==' } }, 'application/merge-patch+json');
  const seen = { ...secret({ a: '4' }), metadata: { name: 'pull', namespace: 'default', resourceVersion: created } };
  const stale: unknown = await applyObject(cluster, seen, signal).catch((error: unknown) => error);
  t.ok(isConflict(stale), 'not over another version than the one that was seen');
  await applyObject(cluster, secret({ a: '4' }), signal);
  t.same((await read()).data, { a: 'NA==', b: 'Yg==' }, 'keys of others stay');
  const broken: unknown = await applyObject(cluster, { ...secret({}), data: { a: ['planted-secret'] } } as KubernetesObject, signal).catch(
    (error: unknown) => error,
  );
  t.match(broken, { status: /^[45]\d\d$/ });
  t.notMatch(describeError(broken), /planted-secret/);

  const { metadata } = await read();
  const after = (preconditions: object): Promise<unknown> => {
    const again = { ...secret({ a: '5' }), metadata: { name: 'pull', namespace: 'default', ...preconditions } };
    return applyObject(cluster, again, signal).catch((error: unknown) => error);
  };
  await plane.api.send('DELETE', path);
  t.ok(isConflict(await after(preconditionsOf({ metadata: metadata ?? {} }))), 'not where it has been deleted since');
  t.type(await after({ resourceVersion: metadata?.resourceVersion }), 'string', 'with the resourceVersion alone it was made anew');
}

async function records(t: Test, cluster: Cluster, plane: ControlPlane): Promise<void> {
  const about = [
    { apiVersion: 'v1', kind: 'Secret', metadata: { name: 'pull', namespace: 'default' } },
    { apiVersion: 'v1', kind: 'Namespace', metadata: { name: 'default' } },
  ];
  for (const regarding of about) {
    const event = {
      regarding,
      reason: 'SecretNotOurs',
      message: `${'long '.repeat(300)}ü`,
      type: 'Warning',
      action: 'CopySecret',
    } as const;
    t.equal(await recordEvent(cluster, event), null);
    t.equal(await recordEvent(cluster, event), null);
  }
  const { stdout } = await plane.kubectl(['get', 'events', '-n', 'default', '--field-selector', 'reason=SecretNotOurs', '-o', 'json']);
  const { items } = JSON.parse(stdout) as { items: CoreV1Event[] };
  t.same(items.map(({ involvedObject: { kind, name } }) => `${kind} ${name}`).toSorted(), ['Namespace default', 'Secret pull']);
  t.match(items[0], { type: 'Warning', action: 'CopySecret', reportingComponent: 'transship.dev/controller', message: /^long .*…$/ });
}

const times = { leaseSeconds: 3, renewSeconds: 0.5 };
const lease = { namespace: 'default', name: 'controller' };

/** A candidate in a process of its own, which can be killed. */
function candidateProcess(t: Test, plane: ControlPlane, identity: string) {
  const program = `
    import { connect } from ${JSON.stringify(new URL('../../src/cluster/connection.ts', import.meta.url).href)}
    import { electLeader } from ${JSON.stringify(new URL('../../src/cluster/lease.ts', import.meta.url).href)}
    const options = ${JSON.stringify({ ...lease, ...times, identity })}
    electLeader(await connect({ kubeconfig: ${JSON.stringify(plane.kubeconfig)} }), { ...options, onElected: () => console.log('elected'), onLost: (reason) => console.log(reason) })
    process.stdin.on('end', () => process.exit()).resume()`;
  const child = spawn(process.execPath, ['--input-type=module', '--eval', program], { stdio: ['pipe', 'pipe', 'inherit'] });
  const ended = once(child, 'exit');
  t.teardown(async () => {
    child.kill('SIGKILL');
    await ended;
  });
  return { child, elected: once(child.stdout, 'data').then(String), ended };
}

async function killsLeader(t: Test, cluster: Cluster, plane: ControlPlane): Promise<void> {
  const first = candidateProcess(t, plane, 'first');
  t.match(await first.elected, 'elected');
  let electedAt = 0;
  const heir = electLeader(cluster, {
    ...lease,
    ...times,
    identity: 'heir',
    onElected: () => (electedAt = performance.now()),
    onLost: (reason) => t.fail(reason),
  });
  await plane.kubectl(['get', 'lease', 'controller']);
  t.notOk(heir.isLeader);
  first.child.kill('SIGKILL');
  await first.ended;
  const killedAt = performance.now();
  await eventually('the heir leads', () => heir.isLeader);
  t.comment(`taken over after ${Math.round(electedAt - killedAt)} ms with a lease of ${times.leaseSeconds} s`);
  t.ok(
    electedAt - killedAt < (times.leaseSeconds + 2 * times.renewSeconds) * 1000 + 5000,
    'within the lease, two looks and some slack for a busy machine',
  );
  const { stdout } = await plane.kubectl([
    'get',
    'lease',
    'controller',
    '-o',
    'jsonpath={.spec.holderIdentity} {.spec.leaseTransitions} {.spec.leaseDurationSeconds}',
  ]);
  t.equal(stdout, 'heir 1 3');
  await heir.release();
  const { stdout: after } = await plane.kubectl(['get', 'lease', 'controller', '-o', 'jsonpath={.spec.holderIdentity}']);
  t.equal(after, '', 'a release leaves no holder');
}

async function losesServer(t: Test, cluster: Cluster, plane: ControlPlane): Promise<void> {
  const said: string[] = [];
  const options = { ...lease, ...times, onElected: () => said.push('elected'), onLost: (reason: string) => said.push(reason) };
  const one = electLeader(cluster, { ...options, identity: 'one' });
  const two = electLeader(cluster, { ...options, identity: 'two' });
  t.teardown(() => Promise.all([one.release(), two.release()]));
  await eventually('one of two leads', () => said.length === 1);
  const server = runningProgram(plane, 'kube-apiserver');
  await kill(server);
  const killedAt = performance.now();
  let ledUntil = 0;
  await eventually('it stops', () => {
    if (one.isLeader || two.isLeader) ledUntil = performance.now();
    return said.length === 2;
  });
  t.equal(said[1], 'the lease could not be renewed in time');
  t.ok(ledUntil - killedAt < times.leaseSeconds * 1000, 'before its lease is over');
  t.notOk(one.isLeader || two.isLeader);
  const again = startAgain(plane, server);
  t.teardown(() => again.stop());
  await waitUntilReady(plane, again);
  await eventually('one of two leads again', () => one.isLeader !== two.isLeader);
}
