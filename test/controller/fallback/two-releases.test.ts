/** Two releases in one cluster, each with its own values of the label, and a namespace that both want. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1ConfigMapList, V1Pod } from '@kubernetes/client-node';
import { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { createNamespace, eventsOf, eventually, runController, succeed, whenReady } from '../controllers.ts';
import { createPod, fail, imageOf, mirrored, podOf, podPath, waiting } from './pods.ts';

const policyOf = (name: string): string => `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example }, backup: { host: ${name}.example } }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path }, alternatives: [{ registry: backup, as: path }] }
`;
const releases = ['one', 'two'] as const;
const names = ['a', 'b', 'c'];
const version = ({ metadata }: V1Pod): string | undefined => metadata?.resourceVersion;

test('two releases do not touch what is of the other', { skip: skipReason({ level: 1, helm: false }) }, async (t) => {
  const plane = await startControlPlane(t);
  await plane.createNamespace('shop-both', { 'transship.dev/rewrite': 'both' });
  for (const name of releases) {
    await createNamespace(plane, `release-${name}`);
    await plane.createNamespace(`shop-${name}`, { 'transship.dev/rewrite': name });
    const objects = ['--namespace', `release-${name}`, `--lease-name=${name}-controller`, `--hosts-config-map=${name}-hosts`];
    const args = [...objects, `--opt-in-values=${name},both`, '--features=fallback', '--breaker-pods=3'];
    await whenReady(await runController(plane, { policy: policyOf(name), args }));
  }
  const failIn = async (namespace: string): Promise<void> => {
    for (const name of names) {
      await createPod(plane, name, { namespace });
      await fail(plane, podPath(name, namespace), { containerStatuses: [waiting('main', mirrored('main'))] });
    }
  };
  const imagesIn = (namespace: string) => Promise.all(names.map((name) => imageOf(plane, podPath(name, namespace))));
  const written = async (): Promise<(string | undefined)[]> => {
    const { items } = await succeed<V1ConfigMapList>(plane, 'GET', '/api/v1/configmaps');
    return items.map(({ metadata }) => metadata?.name).filter((name) => name?.endsWith('-hosts') === true);
  };

  await failIn('shop-one');
  await eventually('the first release moves its pods', async () =>
    (await imagesIn('shop-one')).every((image) => image?.startsWith('one.')),
  );
  await eventually('and its breaker opens', async () => (await eventsOf(plane, 'release-one', 'TargetUnavailable')).length === 1);
  t.same(await written(), ['one-hosts']);
  t.same(await eventsOf(plane, 'release-two', 'TargetUnavailable'), [], 'pods of one release open no breaker of the other');

  await failIn('shop-two');
  await eventually('so does the second', async () => (await imagesIn('shop-two')).every((image) => image?.startsWith('two.')));
  await eventually('and its breaker opens', async () => (await written()).length === 2);

  await failIn('shop-both');
  await eventually('pods that both want are moved', async () => (await imagesIn('shop-both')).every((image) => image !== mirrored('main')));
  const before = await Promise.all(names.map((name) => podOf(plane, podPath(name, 'shop-both'))));
  await sleep(2_000);
  const after = await Promise.all(names.map((name) => podOf(plane, podPath(name, 'shop-both'))));
  t.same(after.map(version), before.map(version), 'by one of them, once: the other one leaves its image alone');
  const moves = await eventsOf(plane, 'shop-both', 'ImageFellBack');
  t.equal(moves.length, names.length);
});
