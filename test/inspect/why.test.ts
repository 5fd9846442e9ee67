/** `transship why` at the real API server, with the webhook running: each reason planted, and told with what to do. */
import { setTimeout as sleep } from 'node:timers/promises';

import tap, { test } from 'tap';

import { eventually, podsPath } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { createPod, running, type Running } from '../contract/running.ts';
import { transship } from '../cli/terminal.ts';
import { viewer } from './viewer.ts';

// Much longer than it takes.
tap.setTimeout(300_000);

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] }
exclude: { images: [docker.io/library/pause] }
rules:
  - { name: team, match: { images: [quay.io], podLabels: { tier: web } }, rewrite: { registry: mirror, as: path } }
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
`;

interface Row {
  readonly says: string;
  readonly namespace: string;
  readonly pod?: string;
  readonly labels?: Record<string, string>;
  readonly annotations?: Record<string, string>;
  readonly image?: string;
  readonly code: string;
  readonly reason: RegExp;
  readonly remedy: string | RegExp | null;
  readonly exit: 0 | 1;
}

const key = 'transship.dev/rewrite';

const rows: readonly Row[] = [
  { says: 'rewritten', namespace: 'shop', code: 'rewritten', reason: /rule hub matches docker\.io/, remedy: null, exit: 0 },
  { says: 'no rule', namespace: 'shop', image: 'gcr.io/a/b', code: 'no-rule-matches', reason: /no rule matches it/, remedy: null, exit: 0 },
  { says: 'a near miss', namespace: 'shop', image: 'quay.io/a/b', code: 'conditions-not-met', reason: /team.*tier/, remedy: null, exit: 0 },
  { says: 'excluded', namespace: 'shop', image: 'pause:3', code: 'excluded-by-policy', reason: /excludes/, remedy: null, exit: 0 },
  {
    says: 'the pod opts out',
    namespace: 'shop',
    labels: { [key]: 'disabled' },
    code: 'pod-excluded',
    reason: /label transship\.dev\/rewrite: disabled/,
    remedy: null,
    exit: 0,
  },
  {
    says: 'shadow',
    namespace: 'quiet',
    code: 'shadow',
    reason: /shadow mode/,
    remedy: `kubectl label namespace quiet ${key}=enabled --overwrite`,
    exit: 1,
  },
  {
    says: 'no label',
    namespace: 'plain',
    code: 'not-opted-in',
    reason: /namespace plain is not opted in/,
    remedy: `kubectl label namespace plain ${key}=enabled`,
    exit: 1,
  },
  {
    says: 'a capital letter',
    namespace: 'capital',
    code: 'label-value',
    reason: /has the value "Enabled"/,
    remedy: `kubectl label namespace capital ${key}=enabled --overwrite`,
    exit: 1,
  },
  {
    says: 'an annotation instead of the label',
    namespace: 'annotated',
    code: 'annotation-instead-of-label',
    reason: /is an annotation/,
    remedy: `kubectl label namespace annotated ${key}=enabled`,
    exit: 1,
  },
  {
    says: 'another key',
    namespace: 'key',
    code: 'label-key',
    reason: /the label transship\/rewrite is not/,
    remedy: `kubectl label namespace key ${key}=enabled transship/rewrite-`,
    exit: 1,
  },
  {
    says: 'opted out',
    namespace: 'out',
    code: 'namespace-opted-out',
    reason: /namespace out has the label/,
    remedy: `kubectl label namespace out ${key}=enabled --overwrite`,
    exit: 1,
  },
  {
    says: 'a wrong value on the pod',
    namespace: 'plain',
    labels: { [key]: 'true' },
    code: 'label-value',
    reason: /the pod: the label.*"true"/,
    remedy: /kubectl label --namespace plain pod \S+ transship\.dev\/rewrite=enabled --overwrite/,
    exit: 1,
  },
];

interface Told {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

const why = ({ plane }: Running, ...words: string[]): Promise<Told> => transship(['why', '--kubeconfig', plane.kubeconfig, ...words]);

test('why', { skip: skipReason({ level: 1 }) }, async (group) => {
  const installed = await running(group, { policy });
  const { plane } = installed;
  await plane.createNamespace('shop', labelled('enabled'));
  await plane.createNamespace('quiet', labelled('shadow'));
  await plane.createNamespace('plain');
  await plane.createNamespace('capital', { [key]: 'Enabled' });
  await plane.createNamespace('annotated');
  await plane.kubectl(['annotate', 'namespace', 'annotated', `${key}=enabled`]);
  await plane.createNamespace('key', { 'transship/rewrite': 'enabled' });
  await plane.createNamespace('out', labelled('disabled'));

  for (const [index, { says, namespace, labels = {}, image = 'nginx', code, reason, remedy, exit }] of rows.entries())
    await group.test(says, async (t) => {
      const name = `pod-${index}`;
      await createPod(installed, namespace, { metadata: { name, labels }, spec: { containers: [{ name: 'main', image }] } });
      const told = await why(installed, '-n', namespace, `pod/${name}`, '-o', 'json');
      t.equal(told.code, exit, told.stderr);
      const explanation = JSON.parse(told.stdout);
      t.match(explanation, { pod: name, namespace, release: 'images/transship', notSeen: [] });
      t.equal(explanation.containers.length, 1);
      const [container] = explanation.containers;
      t.match(container, { name: 'main', written: image, code, reason, isFinding: exit === 1 });
      if (remedy === null) t.equal(container.remedy, null);
      else t.match(container.remedy, remedy);
      const shown = await why(installed, '-n', namespace, `pod/${name}`);
      t.match(shown.stdout, exit === 1 ? '✗ main: ' : '✓ main: ');
      t.match(shown.stdout, reason);
    });

  await group.test('older than the opt-in: the remedy restarts it, and then it is rewritten', async (t) => {
    await plane.createNamespace('late');
    const spec = { containers: [{ name: 'main', image: 'nginx' }] };
    await createPod(installed, 'late', { metadata: { name: 'old' }, spec });
    // Times of the API server are whole seconds.
    await sleep(1_100);
    await plane.kubectl(['label', 'namespace', 'late', `${key}=enabled`]);
    const { stdout } = await why(installed, '-n', 'late', 'pod/old', '-o', 'json');
    t.match(JSON.parse(stdout).containers, [{ code: 'older-than-opt-in', remedy: /delete it/ }]);
  });

  await group.test('the webhook was away', async (t) => {
    await installed.serving.stop();
    await sleep(1_100);
    await createPod(installed, 'shop', { metadata: { name: 'missed' }, spec: { containers: [{ name: 'main', image: 'nginx' }] } });
    const { stdout } = await why(installed, '-n', 'shop', 'pod/missed', '-o', 'json');
    t.match(JSON.parse(stdout).containers, [{ code: 'webhook-not-asked', remedy: /transship doctor/ }]);
    await installed.start();
  });

  await group.test('something wrote the first name back', async (t) => {
    const path = `${podsPath('shop')}/pod-0`;
    await plane.kubectl(['label', '--namespace', 'shop', 'pod', 'pod-0', `${key}=disabled`]);
    await plane.api.send(
      'PATCH',
      path,
      { spec: { containers: [{ name: 'main', image: 'nginx' }] } },
      'application/strategic-merge-patch+json',
    );
    const { stdout } = await why(installed, '-n', 'shop', 'pod/pod-0', '-o', 'json');
    t.match(JSON.parse(stdout).containers, [{ code: 'changed-back', written: 'nginx', image: 'nginx' }]);
  });

  await group.test('what does not exist, and wrong words', async (t) => {
    const missing = await why(installed, '-n', 'shop', 'pod/none');
    t.match(missing, { code: 2, stderr: /OBJECT_NOT_FOUND: there is no pod none in namespace shop/ });
    t.match(await why(installed, 'svc/none'), { code: 2, stderr: /write it as pod\/NAME or deployment\/NAME/ });
    t.match(await why(installed), { code: 2, stderr: /name a pod or a workload/ });
    t.match(await why(installed, '--context', 'other', 'pod/a'), { code: 2, stderr: /has no context other/ });
  });

  await group.test('with the rights of a viewer it says what it could not see, and claims nothing about it', async (t) => {
    // What the controller manager aggregates into `view`.
    const kubeconfig = await viewer(plane, 'shop', 'system:aggregate-to-view');
    const folder = t.testdir({ kubeconfig, 'policy.yaml': policy });
    const asked = ['why', '--kubeconfig', `${folder}/kubeconfig`, '--policy', `${folder}/policy.yaml`, '-n'];
    const { stdout, stderr } = await transship([...asked, 'shop', 'pod/pod-1']);
    t.match(stdout, /no rule matches it/);
    t.match(stderr, /Could not see:\n {2}mutatingwebhookconfigurations: .*forbidden/);
    const { stdout: json } = await transship([...asked, 'plain', 'pod/pod-6', '-o', 'json']);
    t.match(JSON.parse(json), { containers: [{ code: 'not-seen' }], notSeen: [{ what: 'mutatingwebhookconfigurations' }] });
  });
});

test('why a Deployment is not rewritten: the remedy names its template', { skip: skipReason({ level: 2 }) }, async (group) => {
  const installed = await running(group, { policy, cluster: { level: 2 } });
  const { plane } = installed;
  await plane.createNamespace('plain');
  const patch = (name: string): string =>
    `kubectl patch --namespace plain deployment ${name} --patch '{"spec":{"template":{"metadata":{"labels":{"${key}":"enabled"}}}}}'`;
  const deployments = [
    {
      name: 'on-itself',
      labels: { [key]: 'enabled' },
      template: {},
      code: 'label-on-workload',
      reason: /is on the deployment and not on the template/,
    },
    { name: 'capital', labels: {}, template: { labels: { [key]: 'Enabled' } }, code: 'label-value', reason: /the pod: .*"Enabled"/ },
    {
      name: 'annotated',
      labels: {},
      template: { annotations: { [key]: 'enabled' } },
      code: 'annotation-instead-of-label',
      reason: /the pod: .*annotation/,
    },
  ];
  for (const { name, labels, template, code, reason } of deployments)
    await group.test(name, async (t) => {
      const app = { matchLabels: { app: name } };
      const metadata = { ...template, labels: { app: name, ...template.labels } };
      const spec = { selector: app, template: { metadata, spec: { containers: [{ name: 'main', image: 'nginx' }] } } };
      const { status } = await plane.api.send('POST', '/apis/apps/v1/namespaces/plain/deployments', { metadata: { name, labels }, spec });
      t.equal(status, 201);
      await eventually('it has a pod', async () => (await why(installed, '-n', 'plain', `deploy/${name}`)).code === 1);
      const { stdout } = await why(installed, '-n', 'plain', `deployment/${name}`, '-o', 'json');
      t.match(JSON.parse(stdout).containers, [{ code, reason, remedy: patch(name) }]);

      // The newest pod is the one that counts, and times of the API server are whole seconds.
      await sleep(1_100);
      const [, ...words] = patch(name).split(' ');
      await plane.kubectl(words.map((word) => word.replaceAll("'", '')));
      await eventually('the remedy helps', async () => (await why(installed, '-n', 'plain', `deployment/${name}`)).code === 0);
    });
});
