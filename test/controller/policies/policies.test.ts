/** The policy kept as a MutatingAdmissionPolicy on a real API server: it follows file and binding, and is mended when others touch it. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1MutatingAdmissionPolicy } from '@kubernetes/client-node';
import tap, { test, type Test } from 'tap';

import { policySpec } from '../../../src/export/admission-policy/document.ts';
import { expressionsOf } from '../../../src/export/admission-policy/admission-policy.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { defaults, loaded } from '../../export/equality.ts';
import { restartApiServer } from '../../cluster/running-program.ts';
import { atRest } from '../requests.ts';
import {
  change,
  eventsOf,
  eventually,
  linesOf,
  metric,
  releaseNamespace,
  remove,
  runController,
  whenReady,
  type Running,
} from '../controllers.ts';
import {
  becomes,
  bind,
  bindingPath,
  controllerArgs,
  inexpressible,
  keptPolicy,
  podOf,
  policyPath,
  prepareCluster,
  toMirror,
} from './kept-policy.ts';

tap.setTimeout(240_000);

const isCurrent = 'transship_controller_admission_policy_current{name="transship"}';
const seconds = (milliseconds: number): string => `${(milliseconds / 1000).toFixed(2)} s`;

test('on one cluster', { skip: skipReason({ level: 2 }) }, async (whole) => {
  const plane = await startControlPlane(whole, { level: 2 });
  await prepareCluster(plane);
  const controller = await runController(plane, { policy: toMirror('a.example.com'), args: controllerArgs });
  const problem = (text: string): Promise<number> => eventually(text, async () => (await controller.get('/readyz')).text.includes(text));

  const follow = async (host: string): Promise<void> => {
    writeFileSync(controller.policyFile, toMirror(host));
    const { revision } = loaded(toMirror(host));
    await eventually(host, async () => (await keptPolicy(plane))?.metadata?.annotations?.['transship.dev/revision'] === revision);
    await whenReady(controller);
  };

  await whole.test('nothing is written without the binding, and that is told', async (t) => {
    await problem('policies: MutatingAdmissionPolicyBinding transship-namespaces does not exist; the chart renders it');
    t.equal((await controller.get('/readyz')).status, 503);
    t.equal(await keptPolicy(plane), null);
    t.equal(await metric(controller, isCurrent), 0);
    await eventually('an event', async () => (await eventsOf(plane, releaseNamespace, 'AdmissionPolicyNotKept')).length === 1);
  });

  await whole.test('with the binding it is written, as exported, and pods are rewritten', async (t) => {
    await bind(plane);
    await whenReady(controller);
    t.comment(`a pod after the binding: ${seconds(await becomes(plane, 'nginx:1', 'a.example.com/library/nginx:1'))}`);
    const policy = await keptPolicy(plane);
    t.match(policy?.metadata, {
      labels: { 'app.kubernetes.io/managed-by': 'transship' },
      annotations: { 'transship.dev/revision': loaded(toMirror('a.example.com')).revision },
      ownerReferences: [{ kind: 'MutatingAdmissionPolicyBinding', name: 'transship-namespaces' }],
      managedFields: [{ manager: 'transship-controller', operation: 'Apply' }],
    });
    const options = { ...defaults, failurePolicy: 'Ignore', excludedNamespaces: [releaseNamespace] } as const;
    t.match(policy?.spec, policySpec(expressionsOf(loaded(toMirror('a.example.com')), options)));
    t.equal(await metric(controller, isCurrent), 1);
  });

  await whole.test('at rest nothing is written', (t) => t.resolves(atRest(plane)));

  await whole.test('another policy file is another policy, within moments', async (t) => {
    const begin = performance.now();
    writeFileSync(controller.policyFile, toMirror('b.example.com'));
    const { revision } = loaded(toMirror('b.example.com'));
    await eventually('the object', async () => (await keptPolicy(plane))?.metadata?.annotations?.['transship.dev/revision'] === revision);
    const written = performance.now() - begin;
    await becomes(plane, 'nginx:1', 'b.example.com/library/nginx:1');
    t.comment(`a changed file: in the object after ${seconds(written)}, in pods after ${seconds(performance.now() - begin)}`);
    const { annotations } = (await podOf(plane, 'nginx:1')).metadata ?? {};
    t.equal(annotations?.['transship.dev/rewritten-by'], JSON.stringify({ web: `hub@${revision}` }));
    await whenReady(controller);
  });

  for (const [index, [what, edit]] of edits.entries())
    await whole.test(`mended: ${what}`, async (t) => {
      // Of new content the first repairs are not delayed.
      await follow(`${index}.example.com`);
      const before = await keptPolicy(plane);
      await edit(plane);
      t.comment(seconds(await eventually('it is as before', async () => same(await keptPolicy(plane), before))));
      await eventually('and that is known', async () => (await metric(controller, isCurrent)) === 1);
    });

  await whole.test('what others add beside the spec stays', async (t) => {
    await change(plane, policyPath, { metadata: { labels: { team: 'a' }, annotations: { note: 'b' } } });
    writeFileSync(controller.policyFile, toMirror('c.example.com'));
    await becomes(plane, 'nginx:1', 'c.example.com/library/nginx:1');
    t.match((await keptPolicy(plane))?.metadata, { labels: { team: 'a' }, annotations: { note: 'b' } });
  });

  await whole.test('a policy that CEL cannot express: the last good one stays, and is kept', async (t) => {
    const before = await keptPolicy(plane);
    writeFileSync(controller.policyFile, inexpressible('d.example.com'));
    await problem(`MutatingAdmissionPolicy transship stays as it is: ${controller.policyFile}:6:37: error: rule quay: ^quay\\.io/\\pL: `);
    t.equal((await controller.get('/readyz')).status, 200, 'no restart would mend it');
    t.equal(await metric(controller, isCurrent), 0);
    await eventually('an event', async () => (await eventsOf(plane, releaseNamespace, 'AdmissionPolicyRefused')).length === 1);
    const line = 'CEL cannot express all of the policy; the admission policy stays as it is';
    await eventually('a log line', async () => linesOf(controller.log()).some(({ msg }) => msg === line));
    await remove(plane, policyPath);
    await eventually('it is as before', async () => same(await keptPolicy(plane), before));
    await becomes(plane, 'nginx:1', 'c.example.com/library/nginx:1');
    writeFileSync(controller.policyFile, toMirror('d.example.com'));
    await becomes(plane, 'nginx:1', 'd.example.com/library/nginx:1');
    await whenReady(controller);
    t.notMatch((await controller.get('/readyz')).text, 'stays as it is');
    t.equal(await metric(controller, isCurrent), 1);
  });

  await whole.test('a policy file that does not load: the last good one stays', async (t) => {
    const before = await keptPolicy(plane);
    writeFileSync(controller.policyFile, 'rules: no\n');
    await problem('policy: the policy is refused');
    t.ok(same(await keptPolicy(plane), before));
    t.equal(await metric(controller, isCurrent), 1);
    writeFileSync(controller.policyFile, toMirror('d.example.com'));
  });

  await whole.test('it survives a restart of the API server', async (t) => {
    await restartApiServer(plane);
    writeFileSync(controller.policyFile, toMirror('e.example.com'));
    t.comment(seconds(await becomes(plane, 'nginx:1', 'e.example.com/library/nginx:1')));
    await whenReady(controller);
  });

  await whole.test('without the binding it is collected, and not written again', async (t) => {
    await remove(plane, bindingPath);
    // The garbage collector lost its watches with the API server, and waits for up to half a minute before it tries again.
    const collected = await eventually('it is collected', async () => (await keptPolicy(plane)) === null, { limit: 120_000 });
    t.comment(`collected: ${seconds(collected)}`);
    await problem('policies: MutatingAdmissionPolicyBinding transship-namespaces does not exist');
    await sleep(2_000);
    t.equal(await keptPolicy(plane), null);
    await bind(plane, 'namespaces');
    await becomes(plane, 'nginx:1', 'e.example.com/library/nginx:1');
    await whenReady(controller);
  });

  await whole.test('the next leader finds it in place, and follows the file of its own', async (t) => {
    const { resourceVersion } = (await keptPolicy(plane))?.metadata ?? {};
    const second = await runController(plane, { policy: toMirror('e.example.com'), args: controllerArgs });
    await eventually('it stands by', async () => (await second.get('/readyz')).text === 'standing by\n');
    t.equal(await metric(second, isCurrent), undefined, 'only the leader knows');
    t.equal(await controller.stop(), 0);
    await whenReady(second);
    t.equal((await keptPolicy(plane))?.metadata?.resourceVersion, resourceVersion, 'nothing was to be written');
    await disputed(t, plane, second);
    t.equal(await second.stop(), 0);
  });
});

const edits: readonly (readonly [what: string, edit: (plane: ControlPlane) => Promise<unknown>])[] = [
  ['deleted', (plane) => remove(plane, policyPath)],
  ['another failure policy', (plane) => change(plane, policyPath, { spec: { failurePolicy: 'Fail' } })],
  ['no variable', (plane) => change(plane, policyPath, { spec: { mutations: [mutation], variables: [] } })],
  ['a further match condition', (plane) => apply(plane, { matchConditions: [{ name: 'never', expression: 'false' }] })],
  ['one condition is another', (plane) => apply(plane, { matchConditions: [{ name: 'not-of-transship', expression: 'false' }] })],
  [
    'further selectors',
    (plane) =>
      change(plane, policyPath, {
        spec: {
          matchConstraints: {
            objectSelector: { matchLabels: { app: 'none' } },
            namespaceSelector: { matchLabels: { team: 'none' } },
            excludeResourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['*'], resources: ['pods'] }],
          },
        },
      }),
  ],
  ['a kind of parameters', (plane) => change(plane, policyPath, { spec: { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } } })],
  [
    'no owner, label and annotation',
    (plane) =>
      change(plane, policyPath, {
        metadata: {
          ownerReferences: null,
          labels: { 'app.kubernetes.io/managed-by': null },
          annotations: { 'transship.dev/revision': 'another' },
        },
      }),
  ],
];

const mutation = { patchType: 'JSONPatch', jsonPatch: { expression: '[JSONPatch{op: "remove", path: "/metadata/labels"}]' } };

/** As another field manager. */
async function apply({ api }: ControlPlane, spec: object): Promise<void> {
  const object = { apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingAdmissionPolicy', metadata: { name: 'transship' }, spec };
  const { status, body } = await api.send('PATCH', `${policyPath}?fieldManager=other&force=true`, object, 'application/apply-patch+yaml');
  if (status !== 200) throw new Error(JSON.stringify(body));
}

function same(present: V1MutatingAdmissionPolicy | null, before: V1MutatingAdmissionPolicy | null): boolean {
  return present !== null && ownPart(present) === ownPart(before);
}

/** What the controller writes, as a text to compare. */
function ownPart(policy: V1MutatingAdmissionPolicy | null): string {
  const { labels, annotations, ownerReferences } = policy?.metadata ?? {};
  return JSON.stringify([labels?.['app.kubernetes.io/managed-by'], annotations?.['transship.dev/revision'], ownerReferences, policy?.spec]);
}

async function disputed(t: Test, plane: ControlPlane, controller: Running): Promise<void> {
  let edited = 0;
  const writes = (): number => linesOf(controller.log()).filter(({ msg }) => msg === 'admission policy written').length;
  const before = writes();
  await eventually('a dispute is told', async () => {
    await change(plane, `${policyPath}?fieldManager=other`, { spec: { failurePolicy: 'Fail' } });
    edited += 1;
    return (await controller.get('/readyz')).text.includes(
      'MutatingAdmissionPolicy transship is repeatedly changed or deleted by another client',
    );
  });
  t.ok(writes() - before < edited, `${writes() - before} writes for ${edited} edits`);
  const note = async (): Promise<string | undefined> => (await eventsOf(plane, releaseNamespace, 'WriteDisputed'))[0]?.note;
  await eventually('an event', async () => (await note()) !== undefined);
  t.match(await note(), 'MutatingAdmissionPolicy transship is repeatedly changed or deleted by another client (field manager other)');
}
