/** The rights of the controller where it keeps an admission policy: all that it does on a real API server, and no more. */
import type { V1MutatingAdmissionPolicy } from '@kubernetes/client-node';
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { change, createSecret, dockerConfig, whenReady } from '../controller/controllers.ts';
import { chartFolder, release } from './chart.ts';
import { runInstalledController } from './installed-controller.ts';
import { createDryRun, eventually, podWith } from './installed.ts';
import { labelled } from './opt-in.ts';
import { may, refusedRequests } from './rights.ts';

const registration = '/apis/admissionregistration.k8s.io/v1';
const policyPath = `${registration}/mutatingadmissionpolicies/${release.name}`;
const configMap = `/api/v1/namespaces/${release.namespace}/configmaps/hosts`;

const values = {
  engine: 'admissionPolicy',
  resolvedHosts: { configMap: 'hosts' },
  rewritePolicy: {
    inline: {
      registries: { mirror: { hostFrom: { localRegistryHosting: true } } },
      rules: [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'mirror', as: 'path' } }],
    },
  },
};

test('engine admissionPolicy: the controller needs its rights, and has no others', { skip: skipReason({ level: 2 }) }, async (t) => {
  const plane = await startControlPlane(t, { level: 2 });
  await plane.createNamespace(release.namespace);
  await plane.createNamespace('shop', labelled('enabled'));
  const install = ['install', release.name, chartFolder, '--namespace', release.namespace, '--values', '-'];
  await plane.helm(install, { input: JSON.stringify(values) });
  await createSecret(plane, { namespace: release.namespace, name: 'source', config: dockerConfig('password') });
  t.same(await refusedRequests(plane), [], 'nobody was refused before');

  const controller = await runInstalledController(plane);
  const becomes = (image: string): Promise<void> =>
    eventually(image, async () => (await createDryRun(plane, 'shop', podWith('nginx'))).body.spec?.containers[0]?.image === image);
  await whenReady(controller);
  await plane.api.send('POST', configMap.replace('/hosts', ''), {
    metadata: { name: 'hosts' },
    data: { 'hosts.yaml': 'mirror: a.example.com\n' },
  });
  await becomes('a.example.com/library/nginx');
  await change(plane, configMap, { data: { 'hosts.yaml': 'mirror: b.example.com\n' } });
  await becomes('b.example.com/library/nginx');

  // What it does only when others touch the object, or it cannot be what it should.
  const isThere = async (): Promise<boolean> =>
    (await plane.api.send<V1MutatingAdmissionPolicy>('GET', policyPath)).body.spec?.paramKind === undefined;
  await change(plane, policyPath, { spec: { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } } });
  await eventually('it is mended', isThere);
  await plane.api.send('DELETE', policyPath);
  await eventually('it is there again', async () => (await plane.api.send('GET', policyPath)).status === 200);
  await plane.api.send('DELETE', `${registration}/mutatingadmissionpolicybindings/${release.name}-namespaces`);
  await eventually('it is collected', async () => (await plane.api.send('GET', policyPath)).status === 404);
  await eventually('an event is on the ConfigMap of the policy', async () =>
    (await plane.kubectl(['-n', release.namespace, 'describe', 'configmap', `${release.name}-policy`])).stdout.includes(
      'AdmissionPolicyNotKept',
    ),
  );
  t.equal(await controller.stop(), 0);
  t.same(await refusedRequests(plane), []);
  t.notMatch(controller.log(), /[Ff]orbidden/);

  const own = ['-n', release.namespace];
  t.ok(await may(plane, 'patch', `mutatingadmissionpolicy/${release.name}`), 'its own policy, or the rest of this test says nothing');
  for (const [verb, ...what] of [
    ['get', `mutatingadmissionpolicy/${release.name}`],
    ['update', `mutatingadmissionpolicy/${release.name}`],
    ['delete', `mutatingadmissionpolicy/${release.name}`],
    ['patch', 'mutatingadmissionpolicy/other'],
    ['list', 'mutatingadmissionpolicies'],
    ['patch', `mutatingadmissionpolicybinding/${release.name}-namespaces`],
    ['create', 'mutatingadmissionpolicybindings'],
    ['list', `mutatingadmissionpolicybinding/${release.name}-pods`],
    ['patch', 'mutatingwebhookconfiguration/transship'],
    ['patch', 'configmap/hosts', ...own],
    ['create', 'configmaps', ...own],
    ['list', 'secrets', ...own],
    ['list', 'pods', '-A'],
    ['list', 'namespaces'],
  ] as const)
    t.notOk(await may(plane, verb, ...what), [verb, ...what].join(' '));
});
