/** Which images of a pod are asked for. */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import { test } from 'tap';

import { imagesOfPod, keyOfImages, withImages, type PodImage } from '../../../src/controller/verify/pod-images.ts';
import { SeenImages } from '../../../src/controller/verify/seen-images.ts';
import { verifiedRegistries } from '../../../src/controller/verify/verified-registries.ts';
import { compiled } from '../../rules/policy.ts';

const policy = compiled({
  registries: {
    mirror: { host: 'mirror.example', verify: true },
    backup: { host: 'backup.example', verify: true },
    quiet: { host: 'quiet.example' },
  },
  imageManagers: [{ name: 'operator', podSelector: { matchLabels: { operated: 'yes' } } }],
  rules: [
    {
      name: 'hub',
      match: { images: ['docker.io'] },
      rewrite: { registry: 'mirror', as: 'path' },
      alternatives: [{ registry: 'quiet', as: 'path' }, { registry: 'backup', as: 'path' }, { as: 'original' }],
    },
    { name: 'quay', match: { images: ['quay.io'] }, rewrite: { registry: 'quiet', as: 'path' } },
  ],
});
const scope = {
  namespace: 'transship',
  optIn: 'OptIn' as const,
  optInValues: ['enabled', 'shadow'],
  optOutValues: ['disabled'],
  excludedNamespaces: ['left-out'],
};

interface Given {
  readonly images?: readonly (string | Partial<V1Container>)[];
  readonly spec?: object;
  readonly metadata?: object;
  /** Labels of its namespace; null for one that is not known. */
  readonly labels?: Record<string, string> | null;
}

const nginx = ['mirror.example/library/nginx:1', 'backup.example/library/nginx:1'];
const one = ['nginx:1'];
const enabled = { 'transship.dev/rewrite': 'enabled' };

const table: Readonly<Record<string, readonly [given: Given, images: readonly string[]]>> = {
  'the first target and the alternatives': [{ images: one }, nginx],
  'an image twice': [{ images: ['nginx:1', 'docker.io/library/nginx:1'] }, nginx],
  'as recorded': [
    {
      images: ['backup.example/library/nginx:1'],
      metadata: { annotations: { 'transship.dev/original-images': '{"c0":"nginx:1"}' } },
    },
    nginx,
  ],
  'what a pod names itself': [{ images: ['mirror.example/acme/app:1'] }, ['mirror.example/acme/app:1']],
  'registries without verify': [{ images: ['quay.io/acme/app:1', 'ghcr.io/acme/app:1'] }, []],
  'no image': [{ images: ['Not An Image', {}] }, []],
  'imagePullPolicy Never': [{ images: [{ image: 'nginx:1', imagePullPolicy: 'Never' }] }, []],
  'all places': [
    {
      spec: {
        containers: [],
        initContainers: [{ name: 'a', image: 'mirror.example/a' }],
        ephemeralContainers: [{ name: 'b', image: 'mirror.example/b' }],
        volumes: [
          { name: 'c', image: { reference: 'mirror.example/c' } },
          { name: 'd', emptyDir: {} },
        ],
      },
    },
    ['mirror.example/a', 'mirror.example/b', 'mirror.example/c'],
  ],
  'a namespace that is not opted in': [{ images: one, labels: {} }, []],
  'a namespace that is not known': [{ images: one, labels: null }, []],
  'a namespace that is excluded': [{ images: one, metadata: { namespace: 'left-out' } }, []],
  'shadow mode': [{ images: one, labels: { 'transship.dev/rewrite': 'shadow' } }, nginx],
  'a pod that opts in': [{ images: one, labels: {}, metadata: { labels: enabled } }, nginx],
  'a pod that opts out': [{ images: one, metadata: { labels: { 'transship.dev/rewrite': 'disabled' } } }, []],
  'a mirror pod': [{ images: one, metadata: { annotations: { 'kubernetes.io/config.mirror': 'x' } } }, []],
  'a pod of an image manager': [{ images: one, metadata: { labels: { operated: 'yes' } } }, []],
  'a pod that is being deleted': [{ images: one, metadata: { deletionTimestamp: '2026-06-01T12:00:00Z' } }, []],
  'a pod without a spec': [{}, []],
};

for (const [title, [{ images: written = [], spec, metadata, labels = enabled }, expected]] of Object.entries(table))
  test(title, (t) => {
    const containers = written.map((image, index) => Object.assign({ name: `c${index}` }, typeof image === 'string' ? { image } : image));
    const full = {
      metadata: { name: 'web', namespace: 'shop', uid: 'u', ...metadata },
      spec: spec ?? { containers },
      status: {},
    } as V1Pod;
    const kept = withImages(title === 'a pod without a spec' ? { metadata: full.metadata ?? {} } : full);
    t.strictSame(Object.keys(kept).toSorted(), ['metadata', 'spec'], 'nothing else is kept');
    t.notOk(JSON.stringify(kept).includes('uid'));
    const found = imagesOfPod(kept, { policy, registries: verifiedRegistries(policy), scope, namespaceLabels: labels });
    t.strictSame(
      found.map(({ image }) => image),
      expected,
    );
    t.ok(found.every(({ image, source }) => source === 'nginx:1' || source === 'docker.io/library/nginx:1' || source === image));
    t.end();
  });

const podNamed = (name: string, image: string): V1Pod => withImages({ metadata: { name }, spec: { containers: [{ name: 'c', image }] } });

test('the key is of what decides, not of the name', (t) => {
  t.equal(keyOfImages(podNamed('one', 'a')), keyOfImages(podNamed('two', 'a')));
  t.not(keyOfImages(podNamed('one', 'a')), keyOfImages(podNamed('one', 'b')));
  t.end();
});

const images = (...names: string[]): PodImage[] => names.map((image) => ({ image, registry: 'r', source: image }));

test('images are counted by pods, and at most so many are checked', (t) => {
  const log: string[] = [];
  const seen = new SeenImages({
    max: 2,
    onAdd: ({ image }) => log.push(`+${image}`),
    onRemove: ({ image }) => log.push(`-${image}`),
  });
  const steps: readonly (readonly [run: () => void, log: readonly string[], leftOut: number])[] = [
    [() => seen.setPod('one', images('a', 'b')), ['+a', '+b'], 0],
    [() => seen.setPod('two', images('a')), [], 0],
    [() => seen.setPod('one', images('b')), [], 0],
    [() => seen.setPod('three', images('c')), ['-b', '+c'], 1],
    [() => seen.setPod('two', []), ['-a', '+b'], 0],
    [() => seen.setPod('four', images('d')), ['-c', '+d'], 1],
    [() => seen.setPod('three', []), ['-c'], 0],
    [() => seen.retainPods((pod) => pod === 'four'), ['-b'], 0],
    [() => seen.setPod('unknown', []), [], 0],
    [() => seen.clear(), ['-d'], 0],
  ];
  for (const [index, [run, expected, leftOut]] of steps.entries()) {
    run();
    t.strictSame(log.splice(0), expected, `step ${index}`);
    t.equal(seen.leftOut, leftOut, `step ${index}`);
  }
  t.end();
});
