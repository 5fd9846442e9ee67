import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';

import type { V1Pod } from '@kubernetes/client-node';

import { createDryRun, podsPath, podWith } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { createPod, imagesOf, originalsOf, pullSecretsOf, running } from './running.ts';

const digest = `sha256:${'a'.repeat(64)}`;

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] }
  local: { host: "localhost:30500" }
rules:
  - { name: flat, match: { images: [flat.example.com] }, rewrite: { registry: local, as: flatten, prefix: all } }
  - { name: full, match: { images: [full.example.com] }, rewrite: { registry: mirror, as: fullName, prefix: proxy } }
  - { name: escaped, match: { images: [escape.example.com] }, rewrite: { registry: local, as: escape } }
  - { name: single, match: { images: [single.example.com] }, rewrite: { registry: local, as: singleRepository, repository: dev/all } }
  - { name: rest, match: { images: [rest.example.com/team] }, rewrite: { registry: mirror, as: remainder, prefix: kept } }
  - { name: exact, match: { images: [exact.example.com/app] }, rewrite: { as: image, image: "fixed.example.com/app:9" }, pullPolicy: derive }
  - { name: template, match: { images: [{ regex: '^template\\.example\\.com/(.*)$' }] }, rewrite: { as: template, template: "mirror.example.com/t/$1" } }
  - { name: secrets, match: { images: [secret.example.com] }, pullSecrets: [only-the-secret] }
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
`;

/** One container for each; the names of the rules say which transform. */
const transforms: readonly (readonly [rule: string, image: string, becomes: string])[] = [
  ['path', 'nginx:1.27', 'mirror.example.com/library/nginx:1.27'],
  ['digest', `index.docker.io/bitnami/redis:7@${digest}`, `mirror.example.com/bitnami/redis:7@${digest}`],
  ['full-name', 'full.example.com/acme/app:1', 'mirror.example.com/proxy/full.example.com/acme/app:1'],
  ['flatten', 'flat.example.com/acme/app:1', 'localhost:30500/all/app:1'],
  ['escape', 'escape.example.com/acme/app:1', 'localhost:30500/escape.example.com_acme_app:1'],
  ['single-repository', 'single.example.com/acme/app:1', 'localhost:30500/dev/all:app-1'],
  ['remainder', 'rest.example.com/team/a/b:1', 'mirror.example.com/kept/a/b:1'],
  ['image', 'exact.example.com/app', 'fixed.example.com/app:9'],
  ['template', 'template.example.com/acme/app:1', 'mirror.example.com/t/acme/app:1'],
  ['no-rewrite', 'secret.example.com/app:1', 'secret.example.com/app:1'],
  ['no-rule', 'quay.io/acme/app:1', 'quay.io/acme/app:1'],
  ['already-there', 'mirror.example.com/library/nginx:1.27', 'mirror.example.com/library/nginx:1.27'],
];

/** A pod with an image in every place that CREATE has, and much that is none of transship's business. */
const everything = {
  metadata: { generateName: 'web-', labels: { app: 'web' }, annotations: { 'example.com/note': 'nginx:1.27' } },
  spec: {
    automountServiceAccountToken: false,
    initContainers: [
      { name: 'setup', image: 'busybox:1.36', command: ['true'] },
      { name: 'proxy', image: 'envoyproxy/envoy:v1.31', restartPolicy: 'Always', ports: [{ containerPort: 9901 }] },
    ],
    containers: [
      {
        name: 'main',
        image: 'nginx:1.27',
        env: [{ name: 'IMAGE', value: 'nginx:1.27' }],
        volumeMounts: [{ name: 'model', mountPath: '/model' }],
      },
      { name: 'other', image: 'quay.io/acme/app:1', resources: { requests: { cpu: '10m' } } },
    ],
    volumes: [
      { name: 'model', image: { reference: 'acme/model:3', pullPolicy: 'IfNotPresent' } },
      { name: 'scratch', emptyDir: {} },
    ],
    tolerations: [{ key: 'gpu', operator: 'Exists' }],
  },
};

const everythingBecomes = {
  setup: 'mirror.example.com/library/busybox:1.36',
  proxy: 'mirror.example.com/envoyproxy/envoy:v1.31',
  main: 'mirror.example.com/library/nginx:1.27',
  other: 'quay.io/acme/app:1',
  model: 'mirror.example.com/acme/model:3',
};

/** What transship did, undone by hand: the rest must be what a pod of a namespace without transship is. */
function undone(rewritten: V1Pod, plain: V1Pod): V1Pod {
  const pod = structuredClone(rewritten);
  const original = imagesOf(plain);
  for (const container of [...(pod.spec?.containers ?? []), ...(pod.spec?.initContainers ?? [])])
    container.image = original[container.name] ?? '';
  for (const { name, image } of pod.spec?.volumes ?? []) if (image !== undefined) image.reference = original[name] ?? '';
  delete pod.spec?.imagePullSecrets;
  for (const record of ['original-images', 'rewritten-by']) delete pod.metadata?.annotations?.[`transship.dev/${record}`];
  return pod;
}

/** Without what two pods never share. */
function comparable({ metadata, ...pod }: V1Pod): object {
  return { ...pod, metadata: { generateName: metadata?.generateName, labels: metadata?.labels, annotations: metadata?.annotations } };
}

test('a new pod', { skip: skipReason({ level: 1 }) }, async (group) => {
  const installed = await running(group, { policy });
  const { plane } = installed;
  await plane.createNamespace('shop', labelled('enabled'));
  await plane.createNamespace('plain');

  await group.test('an image in every place is rewritten, its names recorded, and nothing else is touched', async (t) => {
    const pod = await createPod(installed, 'shop', everything);
    t.same(imagesOf(pod), everythingBecomes);
    t.same(pullSecretsOf(pod), ['mirror-pull']);
    const { other: untouched, ...rewritten } = imagesOf(everything);
    const { model, ...containers } = rewritten;
    t.same(originalsOf(pod), { ...containers, 'volume.model': model }, `and not ${untouched}`);
    const plain = await createPod(installed, 'plain', everything);
    t.same(comparable(undone(pod, plain)), comparable(plain));
  });

  await group.test('a pod with generateName gets its name after transship saw it', async (t) => {
    const { metadata } = await createPod(installed, 'shop', podWith('nginx:1.27', { generateName: 'made-' }));
    t.match(metadata?.name, /^made-.{5}$/);
    // Lines are written by the page, at the latest after a tenth of a second.
    for (let tries = 0; tries < 100 && !installed.serving.log().includes('"pod":"made-*"'); tries += 1) await sleep(50);
    t.match(installed.serving.log(), '"pod":"made-*"');
  });

  await group.test('each transform, tag and digest kept', async (t) => {
    const containers = transforms.map(([name, image]) => ({ name, image }));
    const pod = await createPod(installed, 'shop', { metadata: { name: 'transforms' }, spec: { containers } });
    t.same(imagesOf(pod), Object.fromEntries(transforms.map(([name, , becomes]) => [name, becomes])));
    t.same(
      pullSecretsOf(pod),
      ['mirror-pull', 'only-the-secret'],
      'secrets of the registries that are pulled from, and of a rule that only attaches',
    );
    const policies = Object.fromEntries((pod.spec?.containers ?? []).map(({ name, imagePullPolicy }) => [name, imagePullPolicy]));
    t.match(policies, { path: 'IfNotPresent', 'no-rule': 'IfNotPresent' });
    t.equal(policies['image'], 'IfNotPresent', 'derive: Always was right for a name without a tag, and the API server decides again');
  });

  await group.test('an image that cannot be decided is left alone, reported, and does not stop the pod', async (t) => {
    const images = {
      upper: 'docker.io/Library/nginx',
      spaced: 'nginx:1 27',
      long: `nginx:${'1'.repeat(129)}`,
      tagged: `single.example.com/app:${'1'.repeat(126)}`,
    };
    const containers = Object.entries(images).map(([name, image]) => ({ name, image }));
    const { status, body, warnings } = await createDryRun(plane, 'shop', {
      metadata: { name: 'bad' },
      spec: { containers: [...containers, { name: 'good', image: 'nginx' }] },
    });
    t.equal(status, 201);
    t.same(imagesOf(body), { ...images, good: 'mirror.example.com/library/nginx' });
    t.same(
      warnings.map((text) => text.split(' ', 2).join(' ')),
      Object.keys(images).map((name) => `transship: ${name}:`),
    );
    for (const text of warnings) t.ok(text.length <= 120, text);
  });

  await group.test('a dry run is answered as any other request, and nothing is written', async (t) => {
    const named = { ...everything, metadata: { ...everything.metadata, generateName: undefined, name: 'dry' } };
    const { body: dry } = await createDryRun(plane, 'shop', named);
    t.equal((await plane.api.send('GET', `${podsPath('shop')}/dry`)).status, 404);
    const { stdout } = await plane.kubectl(['-n', 'shop', 'create', '--dry-run=server', '-o', 'json', '-f', '-'], {
      input: JSON.stringify({ apiVersion: 'v1', kind: 'Pod', ...named }),
    });
    t.equal((await plane.api.send('GET', `${podsPath('shop')}/dry`)).status, 404);
    const real = await createPod(installed, 'shop', named);
    t.same(imagesOf(dry), everythingBecomes);
    t.same(comparable(dry), comparable(real));
    t.same(comparable(JSON.parse(stdout)), comparable(real));
  });
});
