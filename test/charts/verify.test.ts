/** The feature `verify` of an installed chart, with the rights of the chart and no others. */
import type { V1ConfigMap } from '@kubernetes/client-node';
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { createSecret, eventsOf, metric, succeed, whenReady } from '../controller/controllers.ts';
import { startLoopback } from '../registry/loopback.ts';
import { release } from './chart.ts';
import { runInstalledController } from './installed-controller.ts';
import { eventually, install } from './installed.ts';
import { labelled } from './opt-in.ts';

async function refusedRequests(plane: ControlPlane): Promise<string[]> {
  const { body } = await plane.api.send<string>('GET', '/metrics');
  return body.split('\n').filter((line) => /^apiserver_request_total\{.*code="403"/.test(line));
}

const account = `system:serviceaccount:${release.namespace}:${release.name}-controller`;
const configMap = `/api/v1/namespaces/${release.namespace}/configmaps/${release.name}-verify`;

async function may(plane: ControlPlane, verb: string, ...what: string[]): Promise<boolean> {
  const { stdout } = await plane.kubectl(['auth', 'can-i', verb, ...what, `--as=${account}`]).catch((error: { stdout: string }) => error);
  return stdout.trim() === 'yes';
}

test('what a registry lacks is told, within the rights of the chart', { skip: skipReason({ level: 1 }) }, async (t) => {
  const password = 'correct-horse-battery';
  const expected = `Basic ${Buffer.from(`robot:${password}`).toString('base64')}`;
  const registry = await startLoopback(t, ({ headers }) => ({
    status: headers.authorization === expected ? 404 : 401,
    headers: { 'www-authenticate': 'Basic realm="test"' },
    body: '',
  }));
  const registries = { mirror: { host: registry.host, pullSecrets: ['mirror-pull'], verify: true } };
  const rules = [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'mirror', as: 'path' } }];
  const { plane } = await install(t, {
    rewritePolicy: { inline: { registries, rules } },
    controller: { features: { verify: true } },
  });
  await plane.createNamespace('team-a', labelled('enabled'));
  const config = JSON.stringify({ auths: { [registry.host]: { username: 'robot', password } } });
  await createSecret(plane, { namespace: release.namespace, name: 'mirror-pull', config });
  const spec = { automountServiceAccountToken: false, containers: [{ name: 'main', image: 'nginx:1' }] };
  await succeed(plane, 'POST', '/api/v1/namespaces/team-a/pods', { metadata: { name: 'web' }, spec });
  t.same(await refusedRequests(plane), [], 'nobody was refused before');

  const controller = await runInstalledController(plane);
  await whenReady(controller);
  const status = async (): Promise<string> => (await plane.api.send<V1ConfigMap>('GET', configMap)).body.data?.['status.json'] ?? '';
  await eventually('it is written', async () => (await status()).includes(`${registry.host}/library/nginx:1`));
  await eventually('an event', async () => (await eventsOf(plane, release.namespace, 'ImageMissing')).length === 1);
  t.equal(await metric(controller, 'transship_controller_verify_images{registry="mirror",result="missing"}'), 1);
  await succeed(plane, 'DELETE', configMap);
  await eventually('it is written again', async () => (await status()) !== '');
  await succeed(plane, 'DELETE', '/api/v1/namespaces/team-a/pods/web?gracePeriodSeconds=0');
  await eventually('it goes with its pod', async () => (await status()) !== '' && !(await status()).includes('nginx'));
  t.equal(await controller.stop(), 0);

  t.same(await refusedRequests(plane), []);
  t.notMatch(controller.log(), /[Ff]orbidden/);
  t.notMatch(`${controller.log()}${await status()}`, new RegExp(password));
  const own = ['-n', release.namespace];
  t.ok(await may(plane, 'list', 'pods', '-A'), 'or the rest says nothing');
  for (const [verb, ...what] of [
    ['get', 'pods', '-A'],
    ['patch', 'pods', '-n', 'team-a'],
    ['list', 'secrets', '-A'],
    ['list', 'secrets', ...own],
    ['list', `secret/${release.name}-tls`, ...own],
    ['patch', 'secret/mirror-pull', ...own],
    ['patch', `configmap/${release.name}-policy`, ...own],
    ['create', 'events.events.k8s.io', '-n', 'team-a'],
  ] as const)
    t.notOk(await may(plane, verb, ...what), [verb, ...what].join(' '));
});
