/** The feature `fallback` of an installed chart: webhook and controller as in production, with the rights of the chart and no others. */
import type { V1ConfigMap, V1Pod } from '@kubernetes/client-node';
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { serve } from '../cluster/serve.ts';
import { change, eventsOf, metric, succeed, whenReady } from '../controller/controllers.ts';
import { release } from './chart.ts';
import { runInstalledController } from './installed-controller.ts';
import { eventually, install } from './installed.ts';
import { labelled } from './opt-in.ts';

const policy = {
  registries: { mirror: { host: 'mirror.example', pullSecrets: ['one'] }, backup: { host: 'backup.example', pullSecrets: ['two'] } },
  rules: [
    {
      name: 'hub',
      match: { images: ['docker.io'] },
      rewrite: { registry: 'mirror', as: 'path' },
      alternatives: [{ registry: 'backup', as: 'path' }, { as: 'original' }],
    },
  ],
};

const path = '/api/v1/namespaces/team-a/pods/web';
const imageOf = async (plane: ControlPlane): Promise<string | undefined> =>
  (await succeed<V1Pod>(plane, 'GET', path)).spec?.containers[0]?.image;

async function refusedRequests(plane: ControlPlane): Promise<string[]> {
  const { body } = await plane.api.send<string>('GET', '/metrics');
  return body.split('\n').filter((line) => /^apiserver_request_total\{.*code="403"/.test(line));
}

async function fail(plane: ControlPlane, image: string): Promise<void> {
  const state = { waiting: { reason: 'ErrImagePull', message: 'dial tcp 10.1.2.3:443: connect: connection refused' } };
  const containerStatuses = [{ name: 'main', image, imageID: '', ready: false, restartCount: 0, state }];
  await change(plane, `${path}/status`, { status: { phase: 'Pending', containerStatuses } });
}

test('a pod goes through the alternatives, and the webhook rewrites none of them back', { skip: skipReason({ level: 1 }) }, async (t) => {
  const { plane, address, certificate, service } = await install(t, {
    rewritePolicy: { inline: policy },
    controller: { features: { fallback: true } },
  });
  const map = await succeed<V1ConfigMap>(plane, 'GET', `/api/v1/namespaces/${release.namespace}/configmaps/${release.name}-policy`);
  const served = map.data?.['policy.yaml'] ?? '';
  await serve(plane, { service, namespace: release.namespace, clusterIP: address.host, port: address.port, policy: served, certificate });
  await plane.createNamespace('team-a', labelled('enabled'));
  const controller = await runInstalledController(plane);
  await whenReady(controller);
  t.same(await refusedRequests(plane), [], 'nobody was refused before');

  const web = {
    metadata: { name: 'web' },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'main', image: 'nginx:1' }] },
  };
  await eventually('the webhook is called', async () => {
    await plane.api.send('POST', '/api/v1/namespaces/team-a/pods', web);
    if ((await imageOf(plane)) === 'mirror.example/library/nginx:1') return true;
    await plane.api.send('DELETE', `${path}?gracePeriodSeconds=0`);
    return false;
  });
  const { spec } = await succeed<V1Pod>(plane, 'GET', path);
  t.same(spec?.imagePullSecrets, [{ name: 'one' }, { name: 'two' }], 'the pull secrets of every alternative');

  await fail(plane, 'mirror.example/library/nginx:1');
  await eventually('the first alternative', async () => (await imageOf(plane)) === 'backup.example/library/nginx:1');
  await fail(plane, 'backup.example/library/nginx:1');
  const record = { main: { step: 1, from: 'a', to: 'backup.example/library/nginx:1', at: '2026-01-01T00:00:00Z' } };
  await change(plane, path, { metadata: { annotations: { 'transship.dev/fallback': JSON.stringify(record) } } });
  await eventually('the image as written', async () => (await imageOf(plane)) === 'nginx:1');
  await eventually('both are told', async () => (await eventsOf(plane, 'team-a', 'ImageFellBack')).length === 2);
  t.equal(
    await metric(controller, 'transship_controller_fallback_steps_total{rule="hub",target="original",reason="unreachable",result="moved"}'),
    1,
  );

  // Somebody else's update is no step: the rule applies, and the status of the image before moves nothing.
  await change(plane, path, { metadata: { annotations: { 'transship.dev/fallback': null } }, spec: undefined });
  const update = { spec: { containers: [{ name: 'main', image: 'nginx:2' }] } };
  await plane.api.send('PATCH', path, update, 'application/strategic-merge-patch+json');
  t.equal(await imageOf(plane), 'mirror.example/library/nginx:2');

  t.equal(await controller.stop(), 0);
  t.same(await refusedRequests(plane), [], 'the rights of the chart are enough');
  const account = `system:serviceaccount:${release.namespace}:${release.name}-controller`;
  for (const [verb, ...what] of [
    ['get', 'pods'],
    ['create', 'pods'],
    ['update', 'pods'],
    ['delete', 'pods'],
    ['patch', 'pods', '--subresource=status'],
    ['list', 'secrets'],
    ['get', 'namespaces'],
    ['patch', 'deployments'],
  ] as const) {
    const { stdout } = await plane
      .kubectl(['auth', 'can-i', verb, ...what, '-n', 'team-a', `--as=${account}`])
      .catch((error: { stdout: string }) => error);
    t.equal(stdout.trim(), 'no', `${verb} ${what.join(' ')}`);
  }
});
