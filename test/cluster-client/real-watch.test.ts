import { rmSync } from 'node:fs';
import { test } from 'tap';

import type { V1Namespace } from '@kubernetes/client-node';

import { connect } from '../../src/cluster/connection.ts';
import { type WatchEvent, watchResource } from '../../src/cluster/watch.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { eventually } from './eventually.ts';
import { kill, runningProgram, startAgain, waitUntilReady } from '../cluster/running-program.ts';

const level1 = { skip: skipReason({ level: 1, helm: false }), timeout: 180_000 };
const path = '/api/v1/namespaces';
const label = { 'transship.dev/rewrite': 'enabled' };

const create = async (plane: ControlPlane, name: string): Promise<void> => {
  const { status } = await plane.api.send('POST', path, { metadata: { name, labels: label } });
  if (status !== 201) throw new Error(`creating namespace ${name}: ${status}`);
};
const relabel = (plane: ControlPlane, name: string, value: string | null) =>
  plane.api.send('PATCH', `${path}/${name}`, { metadata: { labels: { 'transship.dev/rewrite': value } } }, 'application/merge-patch+json');

test('a watch on a real API server', level1, async (suite) => {
  const plane = await startControlPlane(suite);
  const cluster = await connect({ kubeconfig: plane.kubeconfig });
  const changes: string[] = [];
  const errors: unknown[] = [];
  for (const name of ['one', 'two', 'three']) await create(plane, name);
  const watch = watchResource<V1Namespace>(cluster, {
    path,
    labelSelector: 'transship.dev/rewrite=enabled',
    pageSize: 2,
    backoff: { minDelay: 100, maxDelay: 1000 },
    idleTimeoutMs: 5000,
    onError: (error) => errors.push(error),
    onEvent: ({ type, object }: WatchEvent<V1Namespace>) => changes.push(`${type} ${object?.metadata?.name ?? ''}`.trim()),
  });
  suite.teardown(async () => {
    await watch.close();
    await cluster.close();
  });
  const names = (): string[] =>
    watch
      .list()
      .map(({ metadata }) => metadata?.name ?? '')
      .toSorted();

  await suite.test('lists in pages, and follows labels', async (t) => {
    await watch.synced;
    t.same(names(), ['one', 'three', 'two']);
    await relabel(plane, 'one', null);
    await eventually('an object that leaves the selector is gone', () => changes.includes('deleted one'));
    await relabel(plane, 'one', 'enabled');
    await eventually('and back', () => changes.filter((change) => change === 'added one').length === 2);
    t.match(watch.get('one'), { apiVersion: 'v1', kind: 'Namespace' });
    t.same(errors, []);
  });

  await suite.test('the API server is killed, and what happened after its restart is known', async (t) => {
    const server = runningProgram(plane, 'kube-apiserver');
    await kill(server);
    await eventually('it is noticed', () => errors.length > 0);
    t.same(names(), ['one', 'three', 'two'], 'what was known stays');
    const again = startAgain(plane, server);
    suite.teardown(() => again.stop());
    await waitUntilReady(plane, again);
    await create(plane, 'four');
    await eventually('the new namespace is known', () => names().includes('four'));
    t.same(changes.filter((change) => change === 'added three').length, 1, 'what did not change is not told again');
  });

  await suite.test('a server that hangs without a word is noticed, and found again', async (t) => {
    const server = runningProgram(plane, 'kube-apiserver');
    const before = errors.length;
    process.kill(server.pid, 'SIGSTOP');
    try {
      await eventually('the idle connection is noticed', () => errors.length > before);
      t.match(errors[before], { code: 'WATCH_IDLE_TIMEOUT' });
      t.ok(watch.age() >= 5000);
    } finally {
      process.kill(server.pid, 'SIGCONT');
    }
    await create(plane, 'five');
    await eventually('the new namespace is known', () => names().includes('five'));
  });

  await suite.test('etcd begins with another history, in which versions are smaller', async (t) => {
    const server = runningProgram(plane, 'kube-apiserver');
    const etcd = runningProgram(plane, 'etcd');
    await kill(server);
    await kill(etcd);
    const dataFolder = etcd.args.find((arg) => arg.startsWith('--data-dir='))?.slice('--data-dir='.length);
    if (dataFolder === undefined) throw new Error('etcd runs without --data-dir');
    rmSync(dataFolder, { recursive: true });
    const etcdAgain = startAgain(plane, etcd);
    const serverAgain = startAgain(plane, server);
    suite.teardown(async () => {
      await serverAgain.stop();
      await etcdAgain.stop();
    });
    await waitUntilReady(plane, serverAgain);
    await create(plane, 'after');
    await eventually('only what there is now is known', () => names().join() === 'after');
    for (const name of ['one', 'two', 'three', 'four', 'five']) t.ok(changes.includes(`deleted ${name}`), `${name} was told to be gone`);
  });
});
