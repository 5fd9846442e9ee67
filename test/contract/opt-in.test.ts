import { writeFileSync } from 'node:fs';
import { test } from 'tap';

import type { V1MutatingWebhookConfiguration } from '@kubernetes/client-node';

import { shippedImageManagers } from '../../src/policy/image-managers.ts';
import { requirementsOf } from '../../src/policy/label-selector.ts';
import type { LabelSelector } from '../../src/policy/types.ts';
import { release, secretService } from '../charts/chart.ts';
import { createDryRun, eventually, podWith } from '../charts/installed.ts';
import { expectedMode, labelled, labelValues } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { hubPolicy, imagesOf, originalsOf, pullSecretsOf, restricted, reviews, running } from './running.ts';

const rewritten = 'mirror.example.com/library/nginx:1.27';
const shadowWarning = `transship (shadow): main: nginx:1.27 would become ${rewritten}`;
const becomes = {
  enforce: { image: rewritten, secrets: ['mirror-pull'], warnings: [] },
  shadow: { image: 'nginx:1.27', secrets: undefined, warnings: [shadowWarning] },
  none: { image: 'nginx:1.27', secrets: undefined, warnings: [] },
};
const configurationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${secretService}`;

/** Labels that the selector selects; a key that must only be there has some value. */
const labelsFor = (selector: LabelSelector): Record<string, string> => ({
  ...Object.fromEntries(requirementsOf(selector).map(({ key }) => [key, 'some'])),
  ...selector.matchLabels,
});

const namespaceOf = (label: string | undefined) => `team-${label ?? 'none'}`;

test('opt-in by labels, and warnings', { skip: skipReason({ level: 1 }) }, async (group) => {
  // A label that does nothing is warned of (test/charts/label-warnings.test.ts); here warnings are those of the webhook.
  const installed = await running(group, { values: { labelWarnings: { enabled: false } } });
  const { plane } = installed;
  for (const label of labelValues) await plane.createNamespace(namespaceOf(label), labelled(label));
  const admitted = (namespace: string, metadata: object = {}) => createDryRun(plane, namespace, podWith('nginx:1.27', metadata));

  const create = async (namespace: string, image: string) => {
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...podWith(image) });
    return (await plane.kubectl(['-n', namespace, 'create', '-f', '-'], { input })).stderr;
  };

  await group.test('the result by the label of the pod and of its namespace', async (t) => {
    for (const namespace of labelValues) {
      for (const label of labelValues) {
        const { status, body, warnings } = await admitted(namespaceOf(namespace), { labels: labelled(label) });
        // A value that means nothing is told by the chart's label warnings too (test/charts).
        const own = warnings.filter((warning) => warning.startsWith('transship'));
        const found = { image: imagesOf(body)['main'], secrets: pullSecretsOf(body), warnings: own };
        t.same([status, found], [201, becomes[expectedMode('OptIn', namespace, label) ?? 'none']], `namespace ${namespace}, pod ${label}`);
      }
    }
  });

  await group.test('kubectl prints the warnings of shadow and of problems, and of every rewrite when the policy asks for it', async (t) => {
    t.equal(await create('team-shadow', 'nginx:1.27'), `Warning: ${shadowWarning}\n`);
    t.match(await create('team-enabled', 'docker.io/Library/nginx'), /^Warning: transship: main: left alone: .*lower case\n$/);
    t.equal(await create('team-enabled', 'nginx:1.27'), '');

    writeFileSync(installed.serving.policyFile, `${hubPolicy}warnings: rewrites\n`);
    await eventually('the changed policy is in force', async () => (await admitted('team-enabled')).warnings.length > 0);
    t.equal(await create('team-enabled', 'nginx:1.27'), `Warning: transship: main: nginx:1.27 became ${rewritten}\n`);
    const long = `acme/${'a'.repeat(200)}`;
    t.match(await create('team-enabled', long), /^Warning: .{119}…\n$/);
  });

  await group.test('excluded pods are left alone even without the selectors', async (t) => {
    const { body } = await plane.api.send<V1MutatingWebhookConfiguration>('GET', configurationPath);
    const [enforce] = body.webhooks ?? [];
    for (const key of ['namespaceSelector', 'objectSelector', 'matchConditions'] as const) delete enforce?.[key];
    const { status } = await plane.api.send('PUT', configurationPath, Object.assign(body, { webhooks: [enforce] }));
    t.equal(status, 200);
    await eventually('every pod is sent', async () => imagesOf((await admitted('team-none')).body)['main'] === rewritten);

    for (const namespace of ['kube-system', 'kube-public', 'kube-node-lease'])
      await plane.kubectl(['-n', namespace, 'create', 'serviceaccount', 'default']);
    const node = { nodeName: 'node-0' };
    const rows: readonly (readonly [says: string, namespace: string, metadata: object, spec?: object])[] = [
      ['kube-system', 'kube-system', {}],
      ['kube-public', 'kube-public', {}],
      ['kube-node-lease', 'kube-node-lease', {}],
      ['the release namespace', release.namespace, {}],
      ['a mirror pod', 'team-enabled', { annotations: { 'kubernetes.io/config.mirror': 'x' } }, node],
      ...shippedImageManagers.map(
        ({ name, podSelector }) => [`a pod of ${name}`, 'team-enabled', { labels: labelsFor(podSelector) }] as const,
      ),
      ['a pod that opted out', 'team-enabled', { labels: labelled('disabled') }],
    ];
    for (const [says, namespace, metadata, spec] of rows) {
      const counts = async () => [await reviews(installed), await reviews(installed, { result: 'skipped' })];
      const [all = 0, skipped = 0] = await counts();
      const probe = podWith('nginx:1.27', metadata);
      const compliant = namespace === release.namespace ? restricted : {};
      const containers = probe.spec.containers.map((container) => ({ ...container, ...compliant }));
      const { status: created, body: pod } = await createDryRun(plane, namespace, { ...probe, spec: { ...spec, containers } });
      t.same(
        [created, imagesOf(pod), pullSecretsOf(pod), originalsOf(pod)],
        [201, { main: 'nginx:1.27' }, undefined, null],
        `${says} ${pod.message ?? ''}`,
      );
      t.same(await counts(), [all + 1, skipped + 1], `${says}: it was sent`);
    }
  });
});
