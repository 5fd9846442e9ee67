/** The controller decides with the hosts that the webhook mounts: whoever writes them, whenever they come, and with the same revision. */
import { readFileSync } from 'node:fs';

import { test } from 'tap';

import { revisionOf } from '../../../src/config/revision.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import {
  change,
  createNamespace,
  eventsOf,
  eventually,
  metric,
  releaseNamespace,
  runController,
  succeed,
  whenReady,
} from '../controllers.ts';
import { createPod, fail, imageOf, podPath, waiting } from './pods.ts';

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { hostFrom: { service: { namespace: ${releaseNamespace}, name: mirror, port: 5000 } } }
  backup: { hostFrom: { service: { namespace: ${releaseNamespace}, name: backup, port: 5000 } } }
rules:
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: mirror, as: path }
    alternatives: [{ registry: backup, as: path }]
`;
const configMaps = `/api/v1/namespaces/${releaseNamespace}/configmaps`;
const both = 'backup: localhost:30600\nmirror: localhost:30500\n';

const service = (name: string, nodePort: number): object => ({
  metadata: { name },
  spec: { type: 'NodePort', ports: [{ port: 5000, nodePort }] },
});

test('on one cluster', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startControlPlane(whole);
  await createNamespace(plane, releaseNamespace);
  await plane.createNamespace('shop', { 'transship.dev/rewrite': 'enabled' });
  const failing = async (name: string, image: string): Promise<void> => {
    await createPod(plane, name, { image });
    await fail(plane, podPath(name), { containerStatuses: [waiting('main', image)] });
  };

  await whole.test('hosts that another program writes', async (t) => {
    await failing('early', 'localhost:30500/library/main:1');
    const controller = await runController(plane, { policy, args: ['--features=fallback', '--hosts-config-map=theirs'] });
    await whenReady(controller);
    t.equal(await imageOf(plane, podPath('early')), 'localhost:30500/library/main:1', 'the policy has no host yet');
    await succeed(plane, 'POST', configMaps, { metadata: { name: 'theirs' }, data: { 'hosts.yaml': both } });
    await eventually('the waiting pod is moved', async () => (await imageOf(plane, podPath('early'))) === 'localhost:30600/library/main:1');
    const revision = revisionOf(readFileSync(controller.policyFile, 'utf8'), both);
    t.equal(await metric(controller, `transship_controller_policy_info{revision="${revision}"}`), 1, 'as the webhook has it');

    const invalid = { data: { 'hosts.yaml': 'mirror: https://localhost' } };
    await change(plane, `${configMaps}/theirs`, invalid);
    await eventually('it is refused', async () =>
      (await controller.get('/readyz')).text.includes('hosts.yaml of ConfigMap theirs:1:9: error: host of registry mirror'),
    );
    await failing('meanwhile', 'localhost:30500/library/main:1');
    await eventually(
      'the last good hosts count',
      async () => (await imageOf(plane, podPath('meanwhile'))) === 'localhost:30600/library/main:1',
    );
    await change(plane, `${configMaps}/theirs`, { data: { 'hosts.yaml': both.replace('30500', '30501') } });
    await failing('later', 'localhost:30501/library/main:1');
    await eventually('the new hosts count', async () => (await imageOf(plane, podPath('later'))) === 'localhost:30600/library/main:1');
    t.notMatch((await controller.get('/readyz')).text, 'refused');
    t.same(await eventsOf(plane, 'shop', 'FallbackExhausted'), [], 'an alternative without a host was not taken for the end of the list');
    await controller.stop();
  });

  await whole.test('a controller that starts among failing pods knows the hosts before it decides', async (t) => {
    const names = ['a', 'b', 'c'];
    for (const name of names) await failing(name, 'localhost:30501/library/main:1');
    const controller = await runController(plane, { policy, args: ['--features=fallback', '--hosts-config-map=theirs'] });
    for (const name of names)
      await eventually(`${name} is moved`, async () => (await imageOf(plane, podPath(name))) === 'localhost:30600/library/main:1');
    t.same(await eventsOf(plane, 'shop', 'FallbackExhausted'), []);
    await controller.stop();
  });

  await whole.test('hosts that the controller itself resolves', async (t) => {
    for (const each of [service('mirror', 30_700), service('backup', 30_800)])
      await succeed(plane, 'POST', `/api/v1/namespaces/${releaseNamespace}/services`, each);
    const controller = await runController(plane, { policy, args: ['--features=hosts,fallback', '--hosts-config-map=ours'] });
    await whenReady(controller);
    await failing('own', 'localhost:30700/library/main:1');
    await eventually('it is moved', async () => (await imageOf(plane, podPath('own'))) === 'localhost:30800/library/main:1');
    t.equal(await controller.stop(), 0);
  });
});
