/** What the API server refuses: it is told, tried again after a while and not in a loop, and other pods do not wait for it. */
import { setTimeout as sleep } from 'node:timers/promises';

import { pino } from 'pino';
import { test } from 'tap';

import type { Cluster } from '../../../src/cluster/connection.ts';
import { FallbackWriter } from '../../../src/controller/fallback/fallback-writer.ts';
import { createControllerMetrics } from '../../../src/controller/metrics.ts';
import type { ReconcilerContext } from '../../../src/controller/reconciler.ts';
import { seenPod, type SeenPod } from '../../../src/controller/fallback/seen-pod.ts';
import { accountKubeconfig } from '../../cluster/account.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { auditLog } from '../audit-log.ts';
import { createNamespace, eventsOf, eventually, metric, releaseNamespace, runController, succeed, whenReady } from '../controllers.ts';
import { backup, createPod, fail, imageOf, mirrored, podPath, refused, waiting } from './pods.ts';

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example }, backup: { host: backup.example } }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path }, alternatives: [{ registry: backup, as: path }] }
`;
const updatesOfPods = { operations: ['UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] };
const inNamespace = (name: string): object => ({ matchLabels: { 'kubernetes.io/metadata.name': name } });

/** As the validating policy of a chart whose finalState forgot the alternative. */
async function denyBackup(plane: ControlPlane, namespace: string): Promise<void> {
  await succeed(plane, 'POST', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies', {
    metadata: { name: 'registries' },
    spec: {
      matchConstraints: { resourceRules: [updatesOfPods] },
      validations: [{ expression: `object.spec.containers.all(c, !c.image.startsWith('backup.example/'))`, message: 'not from there' }],
    },
  });
  await succeed(plane, 'POST', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings', {
    metadata: { name: 'registries' },
    spec: { policyName: 'registries', validationActions: ['Deny'], matchResources: { namespaceSelector: inNamespace(namespace) } },
  });
}

/** A webhook that must answer, and does not. */
async function breakWebhook(plane: ControlPlane, namespace: string): Promise<void> {
  await succeed(plane, 'POST', '/apis/admissionregistration.k8s.io/v1/validatingwebhookconfigurations', {
    metadata: { name: 'broken' },
    webhooks: [
      {
        name: 'broken.example.com',
        clientConfig: { url: 'https://127.0.0.1:1/' },
        rules: [updatesOfPods],
        namespaceSelector: inNamespace(namespace),
        failurePolicy: 'Fail',
        sideEffects: 'None',
        admissionReviewVersions: ['v1'],
      },
    ],
  });
}

/** Whether a pod may get the alternative. */
async function accepts(plane: ControlPlane, path: string): Promise<boolean> {
  const patch = { spec: { containers: [{ name: 'main', image: backup('main') }] } };
  const { status } = await plane.api.send('PATCH', `${path}?dryRun=All`, patch, 'application/strategic-merge-patch+json');
  return status === 200;
}

test('on one cluster', { skip: skipReason({ level: 1, helm: false }) }, async (t) => {
  const audit = auditLog(t.testdir({}));
  const plane = await startControlPlane(t, { apiServerArgs: audit.apiServerArgs });
  await createNamespace(plane, releaseNamespace);
  for (const name of ['denied', 'broken', 'shop']) await plane.createNamespace(name, { 'transship.dev/rewrite': 'enabled' });
  await plane.kubectl(['-n', releaseNamespace, 'create', 'serviceaccount', 'controller']);
  await plane.kubectl([
    'create',
    'clusterrolebinding',
    'c',
    '--clusterrole=cluster-admin',
    `--serviceaccount=${releaseNamespace}:controller`,
  ]);
  const kubeconfig = await accountKubeconfig(plane, { namespace: releaseNamespace, name: 'controller' });
  await denyBackup(plane, 'denied');
  await breakWebhook(plane, 'broken');
  const names = ['a', 'b', 'c', 'd'];
  for (const namespace of ['denied', 'broken']) {
    for (const name of names) await createPod(plane, name, { namespace });
    await eventually(`updates in ${namespace} are refused`, async () => !(await accepts(plane, podPath('a', namespace))));
  }

  const controller = await runController(plane, { policy, kubeconfig, args: ['--features=fallback'] });
  await whenReady(controller);
  const patches = (namespace: string): number =>
    audit.events().filter(({ objectRef }) => objectRef.resource === 'pods' && objectRef.namespace === namespace).length;
  for (const [namespace, says] of [
    ['denied', /422 Invalid: ValidatingAdmissionPolicy 'registries' with binding 'registries' denied request$/],
    ['broken', /500 InternalError: failed calling webhook "broken\.example\.com"$/],
  ] as const) {
    for (const name of names) await fail(plane, podPath(name, namespace), { containerStatuses: [waiting('main', mirrored('main'))] });
    await eventually('it is told on each pod', async () => (await eventsOf(plane, namespace, 'FallbackFailed')).length === names.length);
    t.match((await eventsOf(plane, namespace, 'FallbackFailed'))[0]?.note, says, namespace);
    t.equal(patches(namespace), names.length, `${namespace}: one attempt for each pod`);
  }

  await createPod(plane, 'good');
  await fail(plane, podPath('good'), { containerStatuses: [waiting('main', mirrored('main'))] });
  await eventually('another pod is moved meanwhile', async () => (await imageOf(plane, podPath('good'))) === backup('main'));
  t.equal(await metric(controller, 'transship_controller_writes_total{kind="pod",verb="update",result="failed"}'), 2 * names.length);

  for (const round of [1, 2, 3])
    for (const name of names)
      await fail(plane, podPath(name, 'denied'), { containerStatuses: [waiting('main', mirrored('main'), `${refused} ${round}`)] });
  await sleep(3_000);
  t.equal(patches('denied') + patches('broken'), 2 * names.length, 'a new status of the kubelet is no reason to try again');

  for (const name of names) await succeed(plane, 'DELETE', `${podPath(name, 'denied')}?gracePeriodSeconds=0`);
  await plane.api.send('DELETE', '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicybindings/registries');
  await createPod(plane, 'a', { namespace: 'denied' });
  await eventually('updates are accepted', () => accepts(plane, podPath('a', 'denied')));
  await fail(plane, podPath('a', 'denied'), { containerStatuses: [waiting('main', mirrored('main'))] });
  await eventually('a new pod of that name does not wait', async () => (await imageOf(plane, podPath('a', 'denied'))) === backup('main'));
});

const podOf = (uid: string): SeenPod =>
  seenPod({
    metadata: { name: 'web', namespace: 'shop', uid, resourceVersion: '7' },
    spec: { containers: [{ name: 'main', image: mirrored('main') }] },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- as JSON
    status: { containerStatuses: [waiting('main', mirrored('main'))] } as never,
  });

test('the time to the next attempt grows with each refusal, and is forgotten with a success', async (t) => {
  let status = 422;
  const body = (): object =>
    status === 200 ? { metadata: { resourceVersion: '8' } } : { kind: 'Status', reason: 'Invalid', message: 'no' };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a cluster only the requests are used
  const cluster = { request: async () => new Response(JSON.stringify(body()), { status }) } as unknown as Cluster;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- likewise
  const context = { cluster, log: pino({ level: 'silent' }), metrics: createControllerMetrics() } as ReconcilerContext;
  const writer = new FallbackWriter(context, new AbortController().signal);
  const pod = podOf('u');
  const minutes = (): number => Math.round(writer.delayOf(pod) / 60_000);
  const seen: number[] = [minutes()];
  for (let attempt = 0; attempt < 6; attempt++) {
    t.match(await writer.move(pod, []), { result: 'after' });
    seen.push(minutes());
  }
  t.strictSame(seen, [0, 1, 2, 4, 8, 10, 10]);
  t.equal(writer.delayOf(podOf('another')), 0);
  status = 503;
  t.match(await writer.move(pod, []), { result: 'unavailable' });
  t.equal(minutes(), 10);
  status = 409;
  t.match(await writer.move(pod, []), { result: 'failed' });
  status = 200;
  t.match(await writer.move(pod, []), { result: 'untilVersion', version: '8' });
  t.equal(minutes(), 0);
});

test('a webhook that hangs holds up its own pods only: after each of them the whole queue waited', async (t) => {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a cluster only the requests are used
  const cluster = {
    request: () => Promise.reject(new DOMException('The operation was aborted due to timeout', 'TimeoutError')),
  } as unknown as Cluster;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- likewise
  const context = { cluster, log: pino({ level: 'silent' }), metrics: createControllerMetrics() } as ReconcilerContext;
  const writer = new FallbackWriter(context, new AbortController().signal);
  t.match(await writer.move(podOf('u'), []), { result: 'after' });
  t.equal(Math.round(writer.delayOf(podOf('u')) / 60_000), 1);
  t.equal(writer.delayOf(podOf('another')), 0);
});

test('a step that another client undoes later is taken again in growing intervals: it was each minute, without an end', async (t) => {
  const stored = { metadata: { resourceVersion: '8' }, spec: { containers: [{ name: 'main', image: backup('main') }] } };
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of a cluster only the requests are used
  const cluster = { request: async () => new Response(JSON.stringify(stored), { status: 200 }) } as unknown as Cluster;
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- likewise
  const context = { cluster, log: pino({ level: 'silent' }), metrics: createControllerMetrics() } as ReconcilerContext;
  const writer = new FallbackWriter(context, new AbortController().signal);
  const pod = podOf('u');
  const [container] = pod.failing;
  if (container === undefined) throw new Error('the pod does not fail');
  const move = {
    container,
    rule: 'hub',
    target: 'backup',
    step: 1,
    steps: 1,
    to: backup('main'),
    failure: container.failure,
    missingSecrets: [],
  };
  const seen: number[] = [];
  for (let round = 0; round < 6; round++) {
    t.match(await writer.move(pod, [move]), { result: 'untilVersion', version: '8' });
    seen.push(Math.round(writer.delayOf(pod) / 60_000));
  }
  t.strictSame(seen, [0, 1, 2, 4, 8, 10]);
});
