/** The feature `fallback` on a real API server: pods whose statuses are planted as a kubelet would write them. */
import { setTimeout as sleep } from 'node:timers/promises';

import { pino } from 'pino';
import { test } from 'tap';

import { readControllerOptions } from '../../../src/cli/controller-options.ts';
import { connect } from '../../../src/cluster/connection.ts';
import { loadPolicy } from '../../../src/config/load.ts';
import { fallbackReconciler } from '../../../src/controller/fallback/fallback.ts';
import { HostsFile } from '../../../src/controller/hosts/hosts-file.ts';
import { ObservedWatches } from '../../../src/controller/observed-watch.ts';
import { createControllerMetrics } from '../../../src/controller/metrics.ts';
import { skipReason } from '../../cluster/binaries.ts';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { atRest } from '../requests.ts';
import {
  change,
  eventsOf,
  eventually,
  metric,
  releaseNamespace,
  runController,
  startForControllers,
  whenReady,
  type Running,
} from '../controllers.ts';
import { backup, createPod, fail, imageOf, mirrored, podOf, podPath, refused, waiting } from './pods.ts';

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example }
  backup: { host: backup.example, pullSecrets: [backup-pull] }
rules:
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: mirror, as: path }
    alternatives: [{ registry: backup, as: path }, { as: original }]
`;
// Breakers have tests of their own: here they would change where the next step leads.
const flags = ['--features=fallback', '--breaker=false'];
/** Of a step long ago. */
const recordOf = (step: number, to: string): object => {
  const record = { main: { step, from: mirrored('main'), to, at: '2026-01-01T00:00:00Z' } };
  return { metadata: { annotations: { 'transship.dev/fallback': JSON.stringify(record) } } };
};

const steps = (reason: string, more = 'target="backup",', result = 'moved'): string =>
  `transship_controller_fallback_steps_total{rule="hub",${more}reason="${reason}",result="${result}"}`;

async function start(plane: ControlPlane, args: readonly string[] = []): Promise<Running> {
  const controller = await runController(plane, { policy, args: [...flags, ...args] });
  await whenReady(controller);
  return controller;
}

test('on one cluster', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startForControllers(whole);
  let controller = await start(plane);

  await whole.test('a container gets the next alternative: image, record, event, metrics', async (t) => {
    await createPod(plane, 'one');
    await fail(plane, podPath('one'), { containerStatuses: [waiting('main', mirrored('main'))] });
    await eventually('it is moved', async () => (await imageOf(plane, podPath('one'))) === backup('main'));
    const { metadata } = await podOf(plane, podPath('one'));
    t.match(JSON.parse(metadata?.annotations?.['transship.dev/fallback'] ?? ''), {
      main: { step: 1, from: mirrored('main'), to: backup('main'), at: /^\d{4}-.*Z$/ },
    });
    // In the order of their times, which have whole seconds.
    t.ok(metadata?.managedFields?.some(({ manager }) => manager === 'transship-controller'));
    await eventually('it is told', async () => (await eventsOf(plane, 'shop', 'ImageFellBack')).length === 1);
    const [event] = await eventsOf(plane, 'shop', 'ImageFellBack');
    t.match(event, { type: 'Warning', regarding: { kind: 'Pod', name: 'one', uid: metadata?.uid } });
    t.match(
      event?.note,
      `Image ${mirrored('main')} of container main could not be pulled (the registry does not answer the node); it is now ${backup('main')} (rule hub, alternative 1 of 2). The pod lacks pull secret backup-pull`,
    );
    t.equal(await metric(controller, steps('unreachable')), 1);
  });

  await whole.test('not again within a minute, and nothing is written meanwhile', async (t) => {
    await fail(plane, podPath('one'), { containerStatuses: [waiting('main', backup('main'))] });
    await atRest(plane);
    t.equal(await imageOf(plane, podPath('one')), backup('main'));
  });

  await whole.test('when the time has come it goes on, and at the end of the list it stays', async (t) => {
    await change(plane, podPath('one'), recordOf(1, backup('main')));
    await eventually('the original', async () => (await imageOf(plane, podPath('one'))) === 'main:1');
    await change(plane, podPath('one'), recordOf(2, 'main:1'));
    await fail(plane, podPath('one'), { containerStatuses: [waiting('main', 'main:1')] });
    await eventually('it is told', async () => (await eventsOf(plane, 'shop', 'FallbackExhausted')).length === 1);
    t.equal(await imageOf(plane, podPath('one')), 'main:1');
    t.equal(await metric(controller, steps('unreachable', 'target="",', 'exhausted')), 1);
  });

  await whole.test('an init container and a container of one pod are one write', async (t) => {
    await createPod(plane, 'two', { init: ['setup', 'proxy'] });
    const before = (await metric(controller, 'transship_controller_writes_total{kind="pod",verb="update",result="done"}')) ?? 0;
    await fail(plane, podPath('two'), {
      initContainerStatuses: [waiting('setup', mirrored('setup'), 'manifest unknown')],
      containerStatuses: [waiting('main', mirrored('main'), '429 Too Many Requests')],
    });
    await eventually('both are moved', async () => {
      const { spec } = await podOf(plane, podPath('two'));
      return spec?.initContainers?.[0]?.image === backup('setup') && spec.containers[0]?.image === backup('main');
    });
    t.equal((await podOf(plane, podPath('two'))).spec?.initContainers?.[1]?.image, mirrored('proxy'), 'one that does not fail stays');
    // The controller counts a step when it has the response, which is after the pod has the image.
    for (const reason of ['not-found', 'too-many-requests'])
      await eventually(`the step is counted: ${reason}`, async () => (await metric(controller, steps(reason))) === 1);
    t.equal(await metric(controller, 'transship_controller_writes_total{kind="pod",verb="update",result="done"}'), before + 1);
  });

  await whole.test('a debug container cannot be changed, as the API server says', async (t) => {
    await createPod(plane, 'debugged');
    const path = `${podPath('debugged')}/ephemeralcontainers`;
    const ephemeralContainers = [{ name: 'debugger', image: mirrored('debugger') }];
    await plane.api.send('PATCH', path, { spec: { ephemeralContainers } }, 'application/strategic-merge-patch+json');
    const changed = { spec: { ephemeralContainers: [{ name: 'debugger', image: backup('debugger') }] } };
    for (const where of [path, podPath('debugged')]) {
      const { status, body } = await plane.api.send<{ message: string }>('PATCH', where, changed, 'application/strategic-merge-patch+json');
      t.match([status, body.message], [422, /may not be changed|pod updates may not change fields/], where);
    }
    await fail(plane, podPath('debugged'), { ephemeralContainerStatuses: [waiting('debugger', mirrored('debugger'))] });
    await eventually('it is told', async () => (await eventsOf(plane, 'shop', 'FallbackNotPossible')).length === 1);
  });

  await whole.test('a namespace that is opted in later, and out again', async (t) => {
    await createPod(plane, 'late', { namespace: 'other' });
    await fail(plane, podPath('late', 'other'), { containerStatuses: [waiting('main', mirrored('main'))] });
    await createPod(plane, 'after');
    await fail(plane, podPath('after'), { containerStatuses: [waiting('main', mirrored('main'))] });
    await eventually('the pod after it is moved', async () => (await imageOf(plane, podPath('after'))) === backup('main'));
    t.equal(await imageOf(plane, podPath('late', 'other')), mirrored('main'));
    await change(plane, '/api/v1/namespaces/other', { metadata: { labels: { 'transship.dev/rewrite': 'enabled' } } });
    await eventually('it is moved', async () => (await imageOf(plane, podPath('late', 'other'))) === backup('main'));

    await change(plane, '/api/v1/namespaces/other', { metadata: { labels: { 'transship.dev/rewrite': 'disabled' } } });
    // Namespaces and pods come by two watches, of which either may be late: this namespace shows that the one before is known.
    await plane.createNamespace('witness');
    await createPod(plane, 'witness', { namespace: 'witness' });
    await fail(plane, podPath('witness', 'witness'), { containerStatuses: [waiting('main', mirrored('main'))] });
    await change(plane, '/api/v1/namespaces/witness', { metadata: { labels: { 'transship.dev/rewrite': 'enabled' } } });
    await eventually('the opt-out is known', async () => (await imageOf(plane, podPath('witness', 'witness'))) === backup('main'));
    await change(plane, podPath('late', 'other'), recordOf(1, backup('main')));
    await fail(plane, podPath('late', 'other'), { containerStatuses: [waiting('main', backup('main'))] });
    await createPod(plane, 'last');
    await fail(plane, podPath('last'), { containerStatuses: [waiting('main', mirrored('main'))] });
    await eventually('the pod after it is moved', async () => (await imageOf(plane, podPath('last'))) === backup('main'));
    t.equal(await imageOf(plane, podPath('late', 'other')), backup('main'), 'of a namespace that is opted out later, no further step');
  });

  await whole.test('at rest nothing is written, however many pods fail', (t) => t.resolves(atRest(plane)));

  await whole.test('dry run: it is told once, and nothing is changed', async (t) => {
    await controller.stop();
    controller = await start(plane, ['--fallback-dry-run=true']);
    await createPod(plane, 'dry');
    await fail(plane, podPath('dry'), { containerStatuses: [waiting('main', mirrored('main'))] });
    const told = async (): Promise<(string | undefined)[]> =>
      (await eventsOf(plane, 'shop', 'ImageWouldFallBack')).map(({ regarding }) => regarding?.name);
    await eventually('it is told', async () => (await told()).includes('dry'));
    await fail(plane, podPath('dry'), { containerStatuses: [waiting('main', mirrored('main'), `${refused} again`)] });
    await createPod(plane, 'dry-after');
    await fail(plane, podPath('dry-after'), { containerStatuses: [waiting('main', mirrored('main'))] });
    await eventually('the pod after it is told', async () => (await told()).includes('dry-after'));
    t.equal((await told()).filter((name) => name === 'dry').length, 1);
    t.equal(await imageOf(plane, podPath('dry')), mirrored('main'));
    t.equal(await metric(controller, steps('unreachable', 'target="backup",', 'dry-run')), 2);
    await controller.stop();
  });

  await whole.test('a process whose lease has ended by its own clock changes nothing, before it is told', async (t) => {
    const cluster = await connect({ kubeconfig: plane.kubeconfig });
    let isLeader = false;
    const { compiled } = loadPolicy(policy, 'policy.yaml');
    if (compiled === null) throw new Error('the policy has errors');
    const observed = { cluster, log: pino({ level: 'silent' }), metrics: createControllerMetrics() };
    const file = {
      ...observed,
      watches: new ObservedWatches(observed),
      options: readControllerOptions(['--policy=policy.yaml', `--namespace=${releaseNamespace}`, ...flags], {}),
      isLeader: () => isLeader,
    };
    const reconciler = fallbackReconciler({ ...file, hostsFile: new HostsFile(file), policy: () => compiled, locate: () => [] });
    await createPod(plane, 'led');
    await fail(plane, podPath('led'), { containerStatuses: [waiting('main', mirrored('main'))] });
    reconciler.start();
    await eventually('it knows the pods', async () => reconciler.isReady());
    await sleep(1_000);
    t.equal(await imageOf(plane, podPath('led')), mirrored('main'));
    isLeader = true;
    reconciler.policyChanged?.();
    await eventually('it is moved', async () => (await imageOf(plane, podPath('led'))) === backup('main'));
    await reconciler.stop();
    await cluster.close();
  });

  await whole.test('a policy with alternatives and without the feature says so', async (t) => {
    const without = await runController(plane, { policy, args: ['--features=secrets'] });
    await whenReady(without);
    t.match((await without.get('/readyz')).text, 'rules hub have `alternatives`, which has no effect: the feature fallback is disabled');
    t.notMatch((await without.get('/metrics')).text, /watch="(pods|hosts)"/);
    t.equal(await without.stop(), 0);
  });
});
