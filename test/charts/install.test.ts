import type { V1Deployment, V1Pod } from '@kubernetes/client-node';
import { test, type Test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { release } from './chart.ts';
import { createDryRun, eventually, install, podsPath, podWith } from './installed.ts';
import { expectedMode, labelled, labelValues, type PolicyMode } from './opt-in.ts';
import { isCalled, recorded, type Call, type Recorded } from './recorder.ts';

const options = { skip: skipReason({ level: 1 }) };
const namespaceOf = (label: string | undefined) => `team-${label ?? 'none'}`;
const pathOf = { enforce: '/mutate', shadow: '/shadow' } as const;
const mergePatch = 'application/merge-patch+json';
const strategicPatch = 'application/strategic-merge-patch+json';

/** Creates a pod of each label in a namespace of each label, and compares whom the API server called. */
async function optInTable(t: Test, { plane, recorder }: Recorded, policy: PolicyMode): Promise<void> {
  for (const namespace of labelValues) {
    for (const pod of labelValues) {
      const mode = expectedMode(policy, namespace, pod);
      recorder.taken();
      const { status } = await createDryRun(plane, namespaceOf(namespace), podWith('nginx', { labels: labelled(pod) }));
      const expected: Call[] = mode ? [{ path: pathOf[mode], operation: 'CREATE', subResource: '' }] : [];
      t.same([status, recorder.taken()], [201, expected], `${policy}: namespace ${namespace}, pod ${pod}: ${mode}`);
    }
  }
}

test('webhooks called by the API server after install, upgrade, rollback and uninstall', options, async (t) => {
  const installation = await recorded(t);
  const { plane, upgrade } = installation;
  for (const label of labelValues) await plane.createNamespace(namespaceOf(label), labelled(label));
  await eventually('the webhook is called', isCalled(installation, 'team-enabled'));
  await optInTable(t, installation, 'OptIn');

  await upgrade({ optIn: { mode: 'OptOut' } });
  await eventually('a namespace without label is opted in', isCalled(installation, 'team-none'));
  await optInTable(t, installation, 'OptOut');

  await plane.helm(['rollback', release.name, '1', '--namespace', release.namespace]);
  await eventually('it is not any more', async () => !(await isCalled(installation, 'team-none')()));
  await optInTable(t, installation, 'OptIn');

  await plane.helm(['uninstall', release.name, '--namespace', release.namespace]);
  await eventually('nobody is called', async () => !(await isCalled(installation, 'team-enabled')()));
  const kinds =
    'all,configmap,serviceaccount,networkpolicy,poddisruptionbudget,mutatingwebhookconfiguration,priorityclass,validatingadmissionpolicy';
  const { stdout } = await plane.kubectl([
    '-n',
    release.namespace,
    'get',
    kinds,
    '-l',
    `app.kubernetes.io/instance=${release.name}`,
    '-o',
    'name',
  ]);
  t.equal(stdout, '', 'nothing of the release is left');
});

const image = (to: string) => ({ spec: { containers: [{ name: 'main', image: to }] } });
const update = (path: string, subResource = ''): Call[] => [{ path, operation: 'UPDATE', subResource }];

test('requests that are sent from an opted-in namespace', options, async (group) => {
  const installation = await recorded(group);
  const { plane, recorder } = installation;
  await plane.createNamespace('team-a', labelled('enabled'));
  await eventually('the webhook is called', isCalled(installation, 'team-a'));

  group.test('only an UPDATE that changes an image is sent, and it goes by the new label', async (t) => {
    const pod = `${podsPath('team-a')}/web`;
    const init = { name: 'init', image: 'busybox:1' };
    await plane.api.send('POST', podsPath('team-a'), {
      metadata: { name: 'web' },
      spec: { containers: [{ name: 'main', image: 'nginx:1' }], initContainers: [init] },
    });

    const steps: readonly [says: string, path: string, patch: object, expected: Call[]][] = [
      ['a label', pod, { metadata: { labels: { a: 'b' } } }, []],
      ['a finalizer', pod, { metadata: { finalizers: ['example.com/wait'] } }, []],
      ['an image', pod, image('nginx:2'), update('/mutate')],
      ['the image of an init container', pod, { spec: { initContainers: [{ name: 'init', image: 'busybox:2' }] } }, update('/mutate')],
      ['the same image', pod, image('nginx:2'), []],
      [
        'a debug container',
        `${pod}/ephemeralcontainers`,
        { spec: { ephemeralContainers: [{ name: 'debug', image: 'busybox' }] } },
        update('/mutate', 'ephemeralcontainers'),
      ],
      ['an image, and from namespace to shadow', pod, { metadata: { labels: labelled('shadow') }, ...image('nginx:3') }, update('/shadow')],
      ['an image, and from shadow to enabled', pod, { metadata: { labels: labelled('enabled') }, ...image('nginx:4') }, update('/mutate')],
      ['an image, and from enabled to disabled', pod, { metadata: { labels: labelled('disabled') }, ...image('nginx:5') }, []],
    ];
    for (const [says, path, patch, expected] of steps) {
      recorder.taken();
      const { status, body } = await plane.api.send<V1Pod>('PATCH', path, patch, strategicPatch);
      t.same([status, recorder.taken()], [200, expected], `${says} ${status === 200 ? '' : JSON.stringify(body)}`);
      // A PATCH begins with the object of the watch cache. While that is old, the API server finds a conflict and asks the webhook once more.
      await plane.api.send('GET', `${pod}?resourceVersion=${body.metadata?.resourceVersion}`);
    }
    await plane.api.send('PATCH', pod, { metadata: { finalizers: null } }, mergePatch);
  });

  group.test('mirror pods and excluded pods are not sent', async (t) => {
    const called = async (metadata: object, namespace = 'team-a', nodeName?: string) => {
      recorder.taken();
      const { spec, ...pod } = podWith('nginx', metadata);
      const { status, body } = await createDryRun(plane, namespace, { ...pod, spec: { ...spec, nodeName } });
      t.same([status, body.message], [201, undefined]);
      return recorder.taken().length;
    };
    t.equal(await called({ annotations: { 'kubernetes.io/config.mirror': 'x' } }, 'team-a', 'node-0'), 0, 'a mirror pod');
    t.equal(await called({ labels: { skip: 'me' } }), 1, 'no condition of its own yet');
    for (const namespace of ['kube-system', 'kube-public', 'kube-node-lease']) {
      await plane.kubectl(['-n', namespace, 'create', 'serviceaccount', 'default']);
      await plane.kubectl(['label', 'namespace', namespace, 'transship.dev/rewrite=enabled']);
      t.equal(await called({ labels: labelled('enabled') }, namespace), 0, namespace);
    }

    await installation.upgrade({
      matchConditions: [{ name: 'not-me', expression: '!("skip" in object.metadata.?labels.orValue({}))' }],
    });
    await eventually('a condition of its own', async () => (await called({ labels: { skip: 'me' } })) === 0);
  });
});

test('a webhook that is down: Ignore lets pods through, Fail does not, uninstall frees them', options, async (t) => {
  const { plane, upgrade } = await install(t);
  await plane.createNamespace('team-a', labelled('enabled'));
  const isRefused = async () => (await createDryRun(plane, 'team-a', podWith('nginx'))).status === 500;
  t.equal(await isRefused(), false);

  await upgrade({ failurePolicy: 'Fail' });
  await eventually('pods are refused', isRefused);
  t.equal(
    (await createDryRun(plane, 'team-a', podWith('nginx', { labels: labelled('disabled') }))).status,
    201,
    'but not those that stay out',
  );
  t.equal((await createDryRun(plane, 'default', podWith('nginx'))).status, 201, 'nor those of other namespaces');

  const { body } = await plane.api.send<V1Deployment>('GET', `/apis/apps/v1/namespaces/${release.namespace}/deployments/${release.name}`);
  const own = await createDryRun(plane, release.namespace, { metadata: { generateName: 'own-' }, spec: body.spec?.template.spec });
  t.equal(own.status, 201, `its own pods can always come back, under the Pod Security Standard restricted: ${own.body.message ?? ''}`);
  t.same(own.warnings, []);

  await plane.helm(['uninstall', release.name, '--namespace', release.namespace]);
  await eventually('pods are created again', async () => !(await isRefused()));
});
