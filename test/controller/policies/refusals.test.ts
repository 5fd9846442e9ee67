/** Where the policy cannot be kept as a MutatingAdmissionPolicy: Kubernetes before 1.36, missing rights, and what CEL cannot express. */
import type { EventsV1Event } from '@kubernetes/client-node';
import tap, { test } from 'tap';

import { accountKubeconfig } from '../../cluster/account.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import {
  change,
  createNamespace,
  eventsOf,
  eventually,
  linesOf,
  metric,
  releaseNamespace,
  runController,
  succeed,
  whenReady,
} from '../controllers.ts';
import { becomes, bind, controllerArgs, inexpressible, keptPolicy, podOf, policyPath, prepareCluster, toMirror } from './kept-policy.ts';

tap.setTimeout(180_000);

const isCurrent = 'transship_controller_admission_policy_current{name="transship"}';

/** The API server of 1.34 and that of 1.36, each acting like an older one. */
for (const [minor, version] of [
  ['1.32', /^v1\.34\.\d+ \(emulating 1\.32\)$/],
  ['1.35', /^v1\.36\.\d+ \(emulating 1\.35\)$/],
] as const)
  test(`Kubernetes ${minor} is refused by name`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    const plane = await startControlPlane(t, { emulatedVersion: minor });
    await createNamespace(plane, releaseNamespace);
    const controller = await runController(plane, { policy: toMirror('a.example.com'), args: controllerArgs });
    const sentence =
      /policies: Kubernetes (v.*) does not serve MutatingAdmissionPolicy v1: use the chart value engine: webhook, or Kubernetes 1.36 or newer/;
    await eventually('it is told', async () => sentence.test((await controller.get('/readyz')).text));
    const { status, text } = await controller.get('/readyz');
    t.equal(status, 503);
    t.match(sentence.exec(text)?.[1], version);
    t.equal((await controller.get('/healthz')).status, 200);
    t.equal(await metric(controller, isCurrent), 0);
    t.equal(
      await metric(controller, 'transship_controller_watch_errors_total{watch="admission-policy"}'),
      undefined,
      'nothing is watched in vain',
    );
    await eventually('an event', async () => (await eventsOf(plane, releaseNamespace, 'AdmissionPolicyNotKept')).length === 1);
    t.equal(await controller.stop(), 0);
  });

const rights: readonly (readonly [resource: string, verbs: readonly string[]])[] = [
  ['configmaps', ['list', 'watch']],
  ['mutatingadmissionpolicies', ['list', 'watch']],
  ['mutatingadmissionpolicybindings', ['list', 'watch']],
  ['mutatingadmissionpolicies', ['patch']],
  ['mutatingadmissionpolicies', ['create']],
];

test('each missing right is told by its verb', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  await prepareCluster(plane);
  await bind(plane);
  const account = { namespace: releaseNamespace, name: 'controller' };
  await succeed(plane, 'POST', `/api/v1/namespaces/${releaseNamespace}/serviceaccounts`, { metadata: { name: account.name } });
  for (const role of ['keeper', 'policies']) await grant(plane, role, role === 'keeper' ? always : []);
  const kubeconfig = await accountKubeconfig(plane, account);
  const controller = await runController(plane, { policy: toMirror('a.example.com'), args: controllerArgs, kubeconfig });
  const granted: object[] = [];
  for (const [resource, verbs] of rights) {
    const told = new RegExp(`cannot ${verbs[0]} resource "${resource}"`);
    await eventually(told.source, async () => told.test((await controller.get('/readyz')).text));
    t.equal((await controller.get('/readyz')).status, 503);
    granted.push({ apiGroups: ['', 'admissionregistration.k8s.io'], resources: [resource], verbs });
    await grant(plane, 'policies', granted);
  }
  await whenReady(controller);
  t.notMatch((await controller.get('/readyz')).text, 'cannot');
  t.ok(await keptPolicy(plane));
  t.ok(((await metric(controller, failedWrites)) ?? 0) > 0);
  const notes = (await eventsOf(plane, releaseNamespace, 'AdmissionPolicyNotKept')).map(({ note }: EventsV1Event) => note);
  t.match(
    notes.find((note) => note?.includes('cannot patch')),
    'MutatingAdmissionPolicy transship could not be written: ',
  );
});

test('a condition that does not compile is told by its field', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  await prepareCluster(plane);
  await bind(plane);
  const args = [...controllerArgs, '--match-condition', 'mine=object.nothing.('];
  const controller = await runController(plane, { policy: toMirror('a.example.com'), args });
  const told =
    /policies: MutatingAdmissionPolicy transship could not be written: .*422 Invalid: see spec\.matchConditions\[\d+\]\.expression/;
  await eventually('it is told', async () => told.test((await controller.get('/readyz')).text));
  t.equal((await controller.get('/readyz')).status, 503);
  t.equal(await keptPolicy(plane), null);
});

const failedWrites = 'transship_controller_writes_total{kind="mutatingadmissionpolicy",verb="create",result="failed"}';
const always = [
  { apiGroups: ['coordination.k8s.io'], resources: ['leases'], verbs: ['get', 'create', 'update'] },
  { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create', 'patch'] },
];

async function grant({ api }: ControlPlane, name: string, rules: readonly object[]): Promise<void> {
  const group = 'rbac.authorization.k8s.io';
  const apply = async (kind: string, plural: string, body: object): Promise<void> => {
    const object = { apiVersion: `${group}/v1`, kind, metadata: { name }, ...body };
    const path = `/apis/${group}/v1/${plural}/${name}?fieldManager=test`;
    const { status, body: answer } = await api.send('PATCH', path, object, 'application/apply-patch+yaml');
    if (status >= 300) throw new Error(JSON.stringify(answer));
  };
  await apply('ClusterRole', 'clusterroles', { rules });
  await apply('ClusterRoleBinding', 'clusterrolebindings', {
    roleRef: { apiGroup: group, kind: 'ClusterRole', name },
    subjects: [{ kind: 'ServiceAccount', name: 'controller', namespace: releaseNamespace }],
  });
}

test('what CEL cannot express is left to the webhook with --partial', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  await prepareCluster(plane);
  await bind(plane);
  const policy = inexpressible('a.example.com');
  const refusing = await runController(plane, { policy, args: controllerArgs });
  await eventually('it is refused', async () => (await refusing.get('/readyz')).text.includes('stays as it is'));
  t.equal((await refusing.get('/readyz')).status, 503, 'no policy is there at all');
  t.equal(await keptPolicy(plane), null);
  t.equal(await refusing.stop(), 0);

  const controller = await runController(plane, { policy, args: [...controllerArgs, '--partial'] });
  await whenReady(controller);
  await becomes(plane, 'nginx:1', 'a.example.com/library/nginx:1');
  t.equal((await podOf(plane, 'quay.io/acme/app:1')).spec?.containers[0]?.image, 'quay.io/acme/app:1', 'the webhook decides about it');
  t.notMatch((await controller.get('/readyz')).text, 'stays as it is');
  const line = linesOf(controller.log()).find(({ msg }) => msg === 'CEL cannot express all of the policy; the webhook decides the rest');
  t.match(line?.['findings'], [/policy\.yaml:6:37: error: rule quay: /]);
});

/** It once was gone for good: only the process that had written it knew what to write. */
test('the object of an earlier leader is restored while the policy is refused', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  await prepareCluster(plane);
  await bind(plane);
  const first = await runController(plane, { policy: toMirror('a.example.com'), args: controllerArgs });
  await whenReady(first);
  const written = await keptPolicy(plane);
  t.equal(await first.stop(), 0);

  const next = await runController(plane, { policy: inexpressible('b.example.com'), args: controllerArgs });
  await whenReady(next);
  t.match((await next.get('/readyz')).text, 'stays as it is');
  t.equal(await metric(next, isCurrent), 0);
  t.equal((await keptPolicy(plane))?.metadata?.resourceVersion, written?.metadata?.resourceVersion, 'it is not written again');
  for (const [what, disturb] of [
    ['deleted', () => succeed(plane, 'DELETE', policyPath)],
    ['edited', () => change(plane, policyPath, { spec: { failurePolicy: 'Fail' } })],
    ['narrowed', () => change(plane, policyPath, { spec: { matchConditions: [{ name: 'none', expression: 'false' }] } })],
  ] as const) {
    await disturb();
    await eventually(`it is as before, after it was ${what}`, async () => {
      const found = await keptPolicy(plane);
      return (
        JSON.stringify([found?.spec, found?.metadata?.annotations]) === JSON.stringify([written?.spec, written?.metadata?.annotations])
      );
    });
  }
  await becomes(plane, 'nginx:1', 'a.example.com/library/nginx:1');
  t.equal(await next.stop(), 0);

  await succeed(plane, 'DELETE', policyPath);
  const without = await runController(plane, { policy: inexpressible('b.example.com'), args: controllerArgs });
  const told = 'policies: MutatingAdmissionPolicy transship does not exist, and is not written until the policy has only what CEL can say';
  await eventually('it is told', async () => (await without.get('/readyz')).text.includes(told));
  t.equal((await without.get('/readyz')).status, 503);
  await succeed(plane, 'POST', '/apis/admissionregistration.k8s.io/v1/mutatingadmissionpolicies', {
    metadata: { name: 'transship' },
    spec: written?.spec,
  });
  await eventually('another one is not taken for it', async () => !(await without.get('/readyz')).text.includes('does not exist'));
  t.equal((await keptPolicy(plane))?.metadata?.labels, undefined);
  t.equal(await without.stop(), 0);
});
