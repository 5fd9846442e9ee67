/** The feature `fallback` of an installed chart: webhook and controller as in production, with the rights of the chart and no others. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

import type { V1ConfigMap, V1Pod } from '@kubernetes/client-node';
import { test, type Test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { serve } from '../cluster/serve.ts';
import { transship } from '../cli/terminal.ts';
import { auditLog } from '../controller/audit-log.ts';
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

/** Without those for what happens seldom: an event that repeats itself, and a policy that is refused. */
const usedRights = [
  'configmaps list',
  'configmaps watch',
  'events create',
  'leases create',
  'leases get',
  'leases update',
  'namespaces list',
  'namespaces watch',
  'pods list',
  'pods patch',
  'pods watch',
];

/** The pod web was moved twice. */
async function isTold(t: Test, plane: ControlPlane): Promise<void> {
  const folder = t.testdir({ 'policy.yaml': JSON.stringify({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', ...policy }) });
  const [file, page] = [join(folder, 'policy.yaml'), join(folder, 'report.html')];
  const run = (...words: string[]) => transship([...words, '--kubeconfig', plane.kubeconfig]);

  const scanned = JSON.parse((await run('scan', '-A', '-o', 'json', '--html', page)).stdout);
  t.match(scanned.fallbacks, [
    { namespace: 'team-a', from: 'mirror.example/library/nginx:1', to: 'nginx:1', reason: 'unreachable', pods: 1, latest: /^20..-/ },
  ]);
  t.match(
    (await run('scan', '-A', '--policy', file)).stdout,
    /Moved to an alternative[^]*team-a +1 +\S+ +unreachable +mirror\.example\/library\/nginx:1 +nginx:1/,
  );
  t.match(readFileSync(page, 'utf8'), /pods moved to an alternative[^]*<td[^>]*>unreachable<\/td>/);

  const why = await run('why', 'pod/web', '-n', 'team-a');
  t.match(
    why.stdout,
    /alternative 2 of the rule at \S+, since backup\.example\/library\/nginx:1 could not be pulled \(the registry does not/,
  );
  t.match(
    why.stdout,
    /1\. \S+: mirror\.example\/library\/nginx:1 \(tls\) -> backup\.example\/library\/nginx:1\n +2\. \S+: backup\S+ \(unreachable\) -> nginx:1\n/,
  );
  t.match(JSON.parse((await run('why', 'pod/web', '-n', 'team-a', '-o', 'json')).stdout).containers[0].steps, [
    { reason: 'tls' },
    { reason: 'unreachable', to: 'nginx:1' },
  ]);

  const diff = await run('diff', '-A', '--policy', file, '--policy', file);
  t.match([diff.code, diff.stdout, diff.stderr], [0, '', /^0 differences in 1 image; 1 of these at an alternative of the rule now/]);
}

test('a pod goes through the alternatives, and the webhook rewrites none of them back', { skip: skipReason({ level: 1 }) }, async (t) => {
  const audit = auditLog(t.testdir({}), {
    namespace: release.namespace,
    verbs: ['get', 'list', 'watch', 'create', 'update', 'patch', 'delete'],
  });
  const { plane, address, certificate, service } = await install(
    t,
    { rewritePolicy: { inline: policy }, controller: { features: { fallback: true } } },
    { apiServerArgs: audit.apiServerArgs },
  );
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
  const from = 'mirror.example/library/nginx:1';
  const record = { main: { step: 1, from, to: 'backup.example/library/nginx:1', at: '2026-01-01T00:00:00Z', reason: 'tls' } };
  await change(plane, path, { metadata: { annotations: { 'transship.dev/fallback': JSON.stringify(record) } } });
  await eventually('the image as written', async () => (await imageOf(plane)) === 'nginx:1');
  await eventually('both are told', async () => (await eventsOf(plane, 'team-a', 'ImageFellBack')).length === 2);
  t.equal(
    await metric(controller, 'transship_controller_fallback_steps_total{rule="hub",target="original",reason="unreachable",result="moved"}'),
    1,
  );

  await t.test('scan, why, diff and the report say it', (tt) => isTold(tt, plane));

  // Somebody else's update is no step: the rule applies, and the status of the image before moves nothing.
  await change(plane, path, { metadata: { annotations: { 'transship.dev/fallback': null } }, spec: undefined });
  const update = { spec: { containers: [{ name: 'main', image: 'nginx:2' }] } };
  await plane.api.send('PATCH', path, update, 'application/strategic-merge-patch+json');
  t.equal(await imageOf(plane), 'mirror.example/library/nginx:2');

  t.equal(await controller.stop(), 0);
  t.same(await refusedRequests(plane), [], 'the rights of the chart are enough');
  const used = audit.events().map(({ verb, objectRef }) => `${objectRef.resource} ${verb}`);
  t.strictSame([...new Set(used)].toSorted(), usedRights, 'and each of the feature is used');
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
