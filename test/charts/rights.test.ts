import { test, type Test } from 'tap';

import type { V1ConfigMap, V1Secret } from '@kubernetes/client-node';

import { skipReason } from '../cluster/binaries.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { createSecret, dockerConfig, whenReady } from '../controller/controllers.ts';
import { release, type Values } from './chart.ts';
import { runInstalledController } from './installed-controller.ts';
import { eventually, install } from './installed.ts';
import { labelled } from './opt-in.ts';
import { may, refusedRequests } from './rights.ts';

const options = { skip: skipReason({ level: 1 }) };

const registries = {
  mirror: { host: 'mirror.example.com', pullSecrets: ['pull'], credentials: { secret: 'source' } },
  port: { hostFrom: { service: { namespace: 'registries', name: 'images', port: 'http' } } },
  node: { hostFrom: { service: { namespace: 'registries', name: 'images', port: 'http', via: 'nodeIP' } } },
  dev: { hostFrom: { localRegistryHosting: true } },
};

async function prepareSources(plane: ControlPlane): Promise<void> {
  for (const name of ['team-a', 'registries']) await plane.createNamespace(name, name === 'team-a' ? labelled('enabled') : {});
  await createSecret(plane, { namespace: release.namespace, name: 'source', config: dockerConfig('password', 'mirror.example.com') });
  const service = { metadata: { name: 'images' }, spec: { type: 'NodePort', ports: [{ name: 'http', port: 80, nodePort: 30080 }] } };
  await plane.api.send('POST', '/api/v1/namespaces/registries/services', service);
  const node = { metadata: { name: 'one' } };
  await plane.api.send('POST', '/api/v1/nodes', node);
  const status = { addresses: [{ type: 'InternalIP', address: '10.0.0.7' }], conditions: [{ type: 'Ready', status: 'True' }] };
  await plane.api.send('PATCH', '/api/v1/nodes/one/status', { status }, 'application/merge-patch+json');
  const hosting = { metadata: { name: 'local-registry-hosting' }, data: { 'localRegistryHosting.v1': 'host: localhost:5001' } };
  await plane.api.send('POST', '/api/v1/namespaces/kube-public/configmaps', hosting);
}

async function hostsOf(plane: ControlPlane): Promise<string> {
  const { body } = await plane.api.send<V1ConfigMap>('GET', `/api/v1/namespaces/${release.namespace}/configmaps/${release.name}-hosts`);
  return body.data?.['hosts.yaml'] ?? '';
}

const exists = async (plane: ControlPlane, namespace: string, secret: string): Promise<boolean> =>
  (await plane.api.send<V1Secret>('GET', `/api/v1/namespaces/${namespace}/secrets/${secret}`)).status === 200;

async function installed(t: Test, values: Values): Promise<ControlPlane> {
  const { plane } = await install(t, { tls: { mode: 'controller' }, ...values });
  await prepareSources(plane);
  t.same(await refusedRequests(plane), [], 'nobody was refused before');
  return plane;
}

for (const [says, policy] of [
  ['a policy of the chart', { inline: { registries } }],
  ['a policy in a ConfigMap', { existingConfigMap: `${release.name}-policy` }],
] as const) {
  test(`${says}: all that the controller does, within the rights of its Role`, options, async (t) => {
    const own = 'existingConfigMap' in policy;
    const plane = await installed(t, { rewritePolicy: policy, ...(own && { controller: { features: { secrets: true, hosts: true } } }) });
    if (own) {
      const text = JSON.stringify({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', registries });
      const map = { metadata: { name: policy.existingConfigMap }, data: { 'policy.yaml': text } };
      await plane.api.send('POST', `/api/v1/namespaces/${release.namespace}/configmaps`, map);
    }
    const controller = await runInstalledController(plane, ['--bundle-delay=1s', '--reload-delay=1s', '--pull-secret-retention=1s']);
    await eventually('the copy is there', () => exists(plane, 'team-a', 'pull'));
    await eventually('the pair is there', () => exists(plane, release.namespace, `${release.name}-tls`));
    await eventually(
      'all hosts are known',
      async () => /30080[^]*10\.0\.0\.7|10\.0\.0\.7[^]*30080/.test(await hostsOf(plane)) && (await hostsOf(plane)).includes('5001'),
    );

    // What it does only when something is in the way, or goes away again.
    await createSecret(plane, { namespace: 'default', name: 'pull', config: dockerConfig('not ours') });
    for (const namespace of ['default', 'registries'])
      await plane.kubectl(['label', 'namespace', namespace, 'transship.dev/rewrite=enabled']);
    await eventually('the other namespace has a copy', () => exists(plane, 'registries', 'pull'));
    await eventually(
      'an event tells of the Secret in the way',
      async () => (await plane.kubectl(['-n', 'default', 'get', 'events', '-o', 'name'])).stdout !== '',
    );
    await plane.kubectl(['label', 'namespace', 'registries', 'transship.dev/rewrite-']);
    await eventually('the copy goes', async () => !(await exists(plane, 'registries', 'pull')));
    for (const secret of ['tls', 'tls-ca'])
      await plane.api.send('DELETE', `/api/v1/namespaces/${release.namespace}/secrets/${release.name}-${secret}`);
    await plane.api.send('DELETE', `/api/v1/namespaces/${release.namespace}/configmaps/${release.name}-hosts`);
    await eventually(
      'the pair is there again',
      async () => (await exists(plane, release.namespace, `${release.name}-tls`)) && (await hostsOf(plane)) !== '',
    );
    await whenReady(controller);
    t.equal(await controller.stop(), 0);

    t.same(await refusedRequests(plane), []);
    t.notMatch(controller.log(), /[Ff]orbidden/);
  });
}

test('the rights are no more than that', options, async (t) => {
  const plane = await installed(t, {});
  const controller = await runInstalledController(plane);
  await whenReady(controller);
  t.same(await refusedRequests(plane), []);

  const own = ['-n', release.namespace];
  t.ok(await may(plane, 'patch', `secret/${release.name}-tls`, ...own), 'its own Secret, or the rest of this test says nothing');
  for (const what of [
    ['get', `secret/${release.name}-tls`, ...own],
    ['list', 'secrets', ...own],
    ['patch', 'secret/source', ...own],
    ['delete', `secret/${release.name}-tls`, ...own],
    ['create', 'secrets', '-n', 'team-a'],
    ['list', 'secrets', '-A'],
    ['list', 'namespaces'],
    ['patch', 'mutatingwebhookconfiguration/other'],
    ['create', 'mutatingwebhookconfigurations'],
    ['delete', `mutatingwebhookconfiguration/${release.name}`],
    ['create', 'pods', ...own],
    ['list', 'services', '-A'],
    ['list', 'nodes'],
    ['list', 'pods', '-A'],
    ['list', 'configmaps', '-n', 'kube-public'],
    ['escalate', 'clusterroles'],
  ] as const) {
    const [verb, ...rest] = what;
    t.notOk(await may(plane, verb, ...rest), what.join(' '));
  }
});
