import { test } from 'tap';

import type { V1Pod } from '@kubernetes/client-node';

import { eventually, podsPath, podWith } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { createPod, imagesOf, isCalled, originalsOf, pullSecretsOf, reviews, rulesOf, running, type CreatedPod } from './running.ts';

const strategicPatch = 'application/strategic-merge-patch+json';
const nginx = 'mirror.example.com/library/nginx';

const containers = (...list: readonly (readonly [name: string, image: string])[]) => list.map(([name, image]) => ({ name, image }));
const path = (name: string) => `${podsPath('shop')}/${name}`;
const lacks = (name: string) =>
  `Warning: transship: ${name}: the pod lacks pull secret mirror-pull, which cannot be added to it any more\n`;
const pod = (name: string, spec: object) => ({ apiVersion: 'v1', kind: 'Pod', metadata: { name }, spec });

test('a pod that is changed', { skip: skipReason({ level: 1 }) }, async (group) => {
  // Fail, so that a patch that the API server does not take, or a body that is too large, cannot pass as a pod left alone.
  const installed = await running(group, { values: { failurePolicy: 'Fail' } });
  const { plane } = installed;
  await plane.createNamespace('shop', labelled('enabled'));
  const patch = (name: string, change: object) => plane.api.send<CreatedPod>('PATCH', path(name), change, strategicPatch);
  const read = async (name: string): Promise<V1Pod> => (await plane.api.send<V1Pod>('GET', path(name))).body;

  /** A pod of the time before transship, in a namespace that is opted in afterwards. */
  async function older(namespace: string, spec: object): Promise<void> {
    await plane.createNamespace(namespace);
    await createPod(installed, namespace, pod('old', spec));
    await plane.kubectl(['label', 'namespace', namespace, 'transship.dev/rewrite=enabled']);
    await eventually('the namespace is opted in', async () => {
      const probe = await plane.api.send<V1Pod>('POST', `${podsPath(namespace)}?dryRun=All`, podWith('nginx'));
      return imagesOf(probe.body)['main'] === nginx;
    });
  }

  await group.test('only an image whose text differs is rewritten; secrets, pull policies and volumes stay', async (t) => {
    await older('late', {
      containers: [...containers(['main', 'nginx:1'], ['other', 'redis:7'])],
      initContainers: containers(['setup', 'busybox:1']),
      volumes: [{ name: 'model', image: { reference: 'acme/model:1' } }],
    });
    const change = { spec: { containers: containers(['main', 'nginx:2']) } };
    const { status, body } = await plane.api.send<CreatedPod>('PATCH', `${podsPath('late')}/old`, change, strategicPatch);
    t.equal(status, 200, `${body.message}`);
    t.same(imagesOf(body), { main: `${nginx}:2`, other: 'redis:7', setup: 'busybox:1', model: 'acme/model:1' });
    t.equal(pullSecretsOf(body), undefined);
    t.same(originalsOf(body), { main: 'nginx:2' });
  });

  await group.test('a user who changes an image or adds a debug container is warned about a missing pull secret', async (t) => {
    await older('lacking', { containers: containers(['main', 'nginx:1']) });
    const image = await plane.kubectl(['-n', 'lacking', 'set', 'image', 'pod/old', 'main=nginx:2']);
    t.equal(image.stderr, lacks('main'));
    const debugging = await plane.kubectl([
      '-n',
      'lacking',
      'debug',
      'old',
      '--image=busybox:1',
      '--container=debugger',
      '--profile=general',
    ]);
    t.ok(debugging.stderr.includes(lacks('debugger')), debugging.stderr);
    const { body } = await plane.api.send<V1Pod>('GET', `${podsPath('lacking')}/old`);
    t.match(imagesOf(body), { main: `${nginx}:2`, debugger: 'mirror.example.com/library/busybox:1' });
    t.equal(pullSecretsOf(body), undefined);
  });

  await group.test('a record told of an image that the user put in place of the rewritten one', async (t) => {
    await createPod(installed, 'shop', pod('replaced', { containers: containers(['main', 'nginx:1'], ['other', 'redis:7']) }));
    const images = ['foreign.example.com/app:1', 'mirror.example.com/other:1', 'nginx:2'];
    const records: unknown[] = [];
    for (const image of images) {
      const { body } = await patch('replaced', { spec: { containers: containers(['main', image]) } });
      records.push([imagesOf(body)['main'], originalsOf(body), Object.keys(rulesOf(body) ?? {})]);
    }
    t.strictSame(records, [
      ['foreign.example.com/app:1', { other: 'redis:7' }, ['other']],
      ['mirror.example.com/other:1', { other: 'redis:7' }, ['other']],
      [`${nginx}:2`, { other: 'redis:7', main: 'nginx:2' }, ['other', 'main']],
    ]);
  });

  await group.test('a pod from before the opt-in keeps its images, whatever else of it changes', async (t) => {
    await older('before', { containers: containers(['main', 'nginx:1']) });
    const changes = [
      { metadata: { labels: { team: 'a' } } },
      { metadata: { annotations: { note: 'b' } } },
      { spec: { activeDeadlineSeconds: 600 } },
      { metadata: { labels: labelled('enabled') } },
    ];
    for (const change of changes) {
      const { status, body } = await plane.api.send<CreatedPod>('PATCH', `${podsPath('before')}/old`, change, strategicPatch);
      t.same([status, imagesOf(body)], [200, { main: 'nginx:1' }], JSON.stringify(change));
    }
  });

  await group.test('an image is rewritten by each way of changing it, and its record follows', async (t) => {
    await createPod(
      installed,
      'shop',
      pod('web', {
        containers: containers(['main', 'nginx:1'], ['other', 'quay.io/acme/app:1']),
        initContainers: containers(['setup', 'busybox:1']),
      }),
    );

    await plane.kubectl(['-n', 'shop', 'set', 'image', 'pod/web', 'main=nginx:2']);
    t.match(imagesOf(await read('web')), { main: `${nginx}:2` });

    await patch('web', { spec: { initContainers: containers(['setup', 'busybox:2']) } });
    t.match(imagesOf(await read('web')), { setup: 'mirror.example.com/library/busybox:2' });

    const whole = await read('web');
    for (const container of whole.spec?.containers ?? []) container.image = container.name === 'main' ? 'nginx:3' : 'acme/app:2';
    const { status, body } = await plane.api.send<CreatedPod>('PUT', path('web'), whole);
    t.equal(status, 200, `${body.message}`);
    t.same(imagesOf(body), { main: `${nginx}:3`, other: 'mirror.example.com/acme/app:2', setup: 'mirror.example.com/library/busybox:2' });
    t.same(originalsOf(body), { main: 'nginx:3', setup: 'busybox:2', other: 'acme/app:2' });
    t.same(pullSecretsOf(body), ['mirror-pull'], 'from its creation');
  });

  await group.test('kubectl apply of the same pod again changes nothing', async (t) => {
    for (const how of [['apply'], ['apply', '--server-side']]) {
      const name = how.join('');
      const input = JSON.stringify(pod(name, { containers: containers(['main', 'nginx:1']) }));
      for (const times of [1, 2, 3]) {
        await plane.kubectl(['-n', 'shop', ...how, '-f', '-'], { input });
        const now = await read(name);
        t.same([imagesOf(now), pullSecretsOf(now)], [{ main: `${nginx}:1` }, ['mirror-pull']], `${how.join(' ')}, ${times}`);
      }
    }
  });

  await group.test('kubectl debug: the new container is rewritten, an earlier one and the rest are left alone', async (t) => {
    await older('debugged', { containers: containers(['main', 'nginx:1']) });
    const ephemeral = `${podsPath('debugged')}/old/ephemeralcontainers`;
    const optOut = (value: string) => plane.kubectl(['label', 'namespace', 'debugged', '--overwrite', `transship.dev/rewrite=${value}`]);
    await optOut('disabled');
    await eventually('the opt-out is known', async () => {
      const spec = { ephemeralContainers: containers(['early', 'alpine:3']) };
      const { body } = await plane.api.send<V1Pod>('PATCH', `${ephemeral}?dryRun=All`, { spec }, strategicPatch);
      return imagesOf(body)['early'] === 'alpine:3';
    });
    await plane.kubectl(['-n', 'debugged', 'debug', 'pod/old', '--image=alpine:3', '--container=early']);
    await optOut('enabled');
    await eventually('the opt-in is known', async () => {
      const { body } = await plane.api.send<V1Pod>('POST', `${podsPath('debugged')}?dryRun=All`, podWith('nginx'));
      return imagesOf(body)['main'] === nginx;
    });

    await plane.kubectl([
      '-n',
      'debugged',
      'debug',
      'pod/old',
      '--image=busybox:1',
      '--container=later',
      '--target=main',
      '--profile=general',
    ]);
    const { body } = await plane.api.send<V1Pod>('GET', `${podsPath('debugged')}/old`);
    t.same(imagesOf(body), { main: 'nginx:1', early: 'alpine:3', later: 'mirror.example.com/library/busybox:1' });
    t.equal(pullSecretsOf(body), undefined);
    t.equal(originalsOf(body), null);

    await plane.kubectl(['-n', 'debugged', 'debug', 'pod/old', '--image=busybox:1', '--container=shell', '--copy-to=copy']);
    const { body: copy } = await plane.api.send<V1Pod>('GET', `${podsPath('debugged')}/copy`);
    t.same(imagesOf(copy), { main: `${nginx}:1`, shell: 'mirror.example.com/library/busybox:1' }, 'a copy is a new pod');
  });

  await group.test('an UPDATE that brings no other image costs no call', async (t) => {
    await createPod(
      installed,
      'shop',
      pod('quiet', { containers: [{ name: 'main', image: 'nginx:1', resources: { requests: { cpu: '10m' } } }] }),
    );
    const steps: readonly (readonly [says: string, path: string, change: object, calls: number])[] = [
      ['a label', path('quiet'), { metadata: { labels: { a: 'b' } } }, 0],
      ['a finalizer', path('quiet'), { metadata: { finalizers: ['example.com/wait'] } }, 0],
      ['no finalizer', path('quiet'), { metadata: { finalizers: null } }, 0],
      ['a status', `${path('quiet')}/status`, { status: { phase: 'Running' } }, 0],
      ['a size', `${path('quiet')}/resize`, { spec: { containers: [{ name: 'main', resources: { requests: { cpu: '20m' } } }] } }, 0],
      ['the image it has', path('quiet'), { spec: { containers: containers(['main', `${nginx}:1`]) } }, 0],
      ['an image', path('quiet'), { spec: { containers: containers(['main', 'nginx:2']) } }, 1],
      ['a debug container', `${path('quiet')}/ephemeralcontainers`, { spec: { ephemeralContainers: containers(['debug', 'busybox']) } }, 1],
    ];
    for (const [says, to, change, calls] of steps) {
      const before = await reviews(installed);
      const { status, body } = await plane.api.send<CreatedPod>('PATCH', to, change, strategicPatch);
      const made = (await reviews(installed)) - before;
      // More than one where the API server's watch cache was behind: it then runs admission again with the pod as it is in etcd
      // (kubernetes/kubernetes, staging/src/k8s.io/apiserver/pkg/storage/etcd3/store.go, GuaranteedUpdate).
      t.same([status, Math.min(made, 1)], [200, calls], `${says} ${body.message ?? ''}`);
    }
    t.ok(await isCalled(installed), 'it was listening all the time');
  });

  await group.test('a pod near the size limit of etcd is rewritten, also when both its states are sent', async (t) => {
    const env = [{ name: 'BIG', value: '"'.repeat(1_000_000) }];
    await createPod(installed, 'shop', pod('big', { containers: [{ name: 'main', image: 'nginx:1', env }] }));
    const { status, body } = await patch('big', { spec: { containers: containers(['main', 'nginx:2']) } });
    t.equal(status, 200, `${body.message}`);
    t.same(imagesOf(body), { main: `${nginx}:2` });
  });
});
