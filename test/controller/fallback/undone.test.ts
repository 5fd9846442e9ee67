/** Admission policies that undo a step, or remove its record: the pod must not go round its alternatives for ever. */
import { setTimeout as sleep } from 'node:timers/promises';

import { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { eventsOf, eventually, metric, runController, startForControllers, succeed, whenReady } from '../controllers.ts';
import { backup, createPod, fail, imageOf, mirrored, podOf, podPath, refused, waiting } from './pods.ts';

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example }, backup: { host: backup.example } }
rules:
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: mirror, as: path }
    alternatives: [{ registry: backup, as: path }, { as: original }]
`;

const record = 'transship.dev/fallback';
const back = `Object{spec: Object.spec{containers: [Object.spec.containers{name: "main", image: "${mirrored('main')}"}]}}`;
const bare = `"${record}" in object.metadata.?annotations.orValue({}) ? [JSONPatch{op: "remove", path: "/metadata/annotations/${record.replace('/', '~1')}"}] : []`;

/** Each in the namespace of its name. */
async function mutateUpdates(plane: ControlPlane, name: string, mutation: object): Promise<void> {
  const group = '/apis/admissionregistration.k8s.io/v1';
  const resourceRules = [{ operations: ['UPDATE'], apiGroups: [''], apiVersions: ['v1'], resources: ['pods'] }];
  await succeed(plane, 'POST', `${group}/mutatingadmissionpolicies`, {
    metadata: { name },
    spec: { matchConstraints: { resourceRules }, failurePolicy: 'Fail', reinvocationPolicy: 'Never', mutations: [mutation] },
  });
  await succeed(plane, 'POST', `${group}/mutatingadmissionpolicybindings`, {
    metadata: { name },
    spec: { policyName: name, matchResources: { namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': name } } } },
  });
}

const writes = 'transship_controller_writes_total{kind="pod",verb="update",result="done"}';

test('on one cluster', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startForControllers(whole);
  for (const name of ['back', 'bare']) await plane.createNamespace(name, { 'transship.dev/rewrite': 'enabled' });
  await mutateUpdates(plane, 'back', { patchType: 'ApplyConfiguration', applyConfiguration: { expression: back } });
  await mutateUpdates(plane, 'bare', { patchType: 'JSONPatch', jsonPatch: { expression: bare } });
  for (const namespace of ['back', 'bare']) {
    await createPod(plane, 'probe', { namespace });
    const patch = { metadata: { annotations: { [record]: '{}' } }, spec: { containers: [{ name: 'main', image: backup('main') }] } };
    await eventually(`the policy of ${namespace} is in force`, async () => {
      const { body } = await plane.api.send<Awaited<ReturnType<typeof podOf>>>(
        'PATCH',
        `${podPath('probe', namespace)}?dryRun=All`,
        patch,
        'application/strategic-merge-patch+json',
      );
      const isBack = body.spec?.containers[0]?.image === mirrored('main');
      return namespace === 'back' ? isBack : body.metadata?.annotations?.[record] === undefined;
    });
  }
  const controller = await runController(plane, { policy, args: ['--features=fallback', '--breaker=false'] });
  await whenReady(controller);

  await whole.test('a step that is undone in the same request is none: it was told as done, each minute', async (t) => {
    const path = podPath('web', 'back');
    await createPod(plane, 'web', { namespace: 'back' });
    const before = (await metric(controller, writes)) ?? 0;
    await fail(plane, path, { containerStatuses: [waiting('main', mirrored('main'))] });
    await eventually('it is told', async () => (await eventsOf(plane, 'back', 'FallbackFailed')).length === 1);
    t.match(
      (await eventsOf(plane, 'back', 'FallbackFailed'))[0]?.note,
      `Another webhook or admission policy undid a step: container main has ${mirrored('main')} in place of ${backup('main')}. Exclude updates of pods there.`,
    );
    t.strictSame(await eventsOf(plane, 'back', 'ImageFellBack'), []);
    await fail(plane, path, { containerStatuses: [waiting('main', mirrored('main'), `${refused} again`)] });
    await sleep(2_000);
    t.equal(((await metric(controller, writes)) ?? 0) - before, 1, 'and it is not tried again at once');
    t.equal(await imageOf(plane, path), mirrored('main'));
  });

  await whole.test('a record that is removed: the pod went round its alternatives without a pause and without an end', async (t) => {
    const path = podPath('web', 'bare');
    await createPod(plane, 'web', { namespace: 'bare' });
    await fail(plane, path, { containerStatuses: [waiting('main', mirrored('main'))] });
    await eventually('it is moved', async () => (await imageOf(plane, path)) === backup('main'));
    t.equal((await podOf(plane, path)).metadata?.annotations?.[record], undefined);
    // The controller counts the write, and tells of it, when it has the response: that is after the pod has the image.
    await eventually('it is told', async () => (await eventsOf(plane, 'bare', 'ImageFellBack')).length === 1);
    const before = (await metric(controller, writes)) ?? 0;
    for (const round of [1, 2, 3]) {
      const image = (await imageOf(plane, path)) ?? '';
      await fail(plane, path, { containerStatuses: [waiting('main', image, `${refused} ${round}`)] });
      await sleep(700);
    }
    t.equal((await metric(controller, writes)) ?? 0, before, 'no second step within a minute');
    t.equal(await imageOf(plane, path), backup('main'));
  });
});
