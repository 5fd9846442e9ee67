import { test } from 'tap';
import { imagePointer, pullPolicyPointer, siteKey } from '../../src/pod/images.ts';
import { list, member, strings, text } from '../../src/pod/json.ts';
import { podFields, readPod, type Pod } from '../../src/pod/pod.ts';
import { pod } from '../builders/pod.ts';

function read(value: unknown): Pod {
  return readPod(value, podFields(['a', 'b']));
}

test('every place that names an image, with its pointers and its key', (t) => {
  const object = pod({
    containers: { app: 'nginx' },
    initContainers: { init: 'busybox' },
    ephemeralContainers: { debug: 'alpine' },
    spec: {
      volumes: [
        { name: 'scratch', emptyDir: {} },
        { name: 'model', image: { reference: 'weights', pullPolicy: 'Never' } },
        { image: { reference: 'nameless' } },
      ],
    },
  });
  t.strictSame(
    read(object).images.map((site) => [site.name, site.image, site.pullPolicy, imagePointer(site), pullPolicyPointer(site), siteKey(site)]),
    [
      ['app', 'nginx', 'IfNotPresent', '/spec/containers/0/image', '/spec/containers/0/imagePullPolicy', 'app'],
      ['init', 'busybox', 'IfNotPresent', '/spec/initContainers/0/image', '/spec/initContainers/0/imagePullPolicy', 'init'],
      ['debug', 'alpine', 'IfNotPresent', '/spec/ephemeralContainers/0/image', '/spec/ephemeralContainers/0/imagePullPolicy', 'debug'],
      ['model', 'weights', 'Never', '/spec/volumes/1/image/reference', '/spec/volumes/1/image/pullPolicy', 'volume.model'],
      ['', 'nameless', null, '/spec/volumes/2/image/reference', '/spec/volumes/2/image/pullPolicy', 'volume.'],
    ],
  );
  t.end();
});

const imageless: readonly unknown[] = [
  undefined,
  null,
  'pod',
  {},
  { spec: null },
  { spec: { containers: null, initContainers: {}, ephemeralContainers: 'x', volumes: 1 } },
  { spec: { containers: [null, 'x', [], {}, { image: null }, { image: 1 }, { image: { reference: 'x' } }] } },
  {
    spec: {
      volumes: [null, { image: 'x' }, { image: { reference: 1 } }, { rbd: { image: 'x' } }, { csi: { volumeAttributes: { image: 'x' } } }],
    },
  },
  JSON.parse('{"__proto__":{"spec":{"containers":[{"image":"x"}]}}}'),
];

for (const object of imageless) {
  test(`no image: ${JSON.stringify(object)}`, (t) => {
    t.strictSame(read(object).images, []);
    t.end();
  });
}

test('an index also counts list elements that are not containers', (t) => {
  const [site] = read({ spec: { containers: [null, 'x', { image: 'nginx' }] } }).images;
  t.strictSame(site, { list: 'containers', index: 2, name: '', image: 'nginx', pullPolicy: null });
  t.end();
});

const owners: readonly [says: string, ownerReferences: unknown, expected: unknown][] = [
  ['none', undefined, null],
  ['an empty list', [], null],
  ['no list', 'x', null],
  [
    'the controller',
    [
      { kind: 'A', name: 'a' },
      { kind: 'Job', name: 'migrate', controller: true },
    ],
    { kind: 'Job', name: 'migrate' },
  ],
  [
    'the first where none controls',
    [
      { kind: 'A', name: 'a' },
      { kind: 'B', name: 'b', controller: 'true' },
    ],
    { kind: 'A', name: 'a' },
  ],
  ['one of the wrong shape', [7], { kind: '', name: '' }],
];

for (const [says, ownerReferences, expected] of owners) {
  test(`owner: ${says}`, (t) => {
    t.strictSame(read({ metadata: { ownerReferences } }).owner, expected);
    t.end();
  });
}

const metadata: readonly [says: string, metadata: unknown, expected: object][] = [
  [
    'all of it',
    { name: 'n', generateName: 'g', labels: { a: 'b', unasked: 'c' }, annotations: { c: 'd' } },
    { name: 'n', generateName: 'g', labels: { a: 'b' }, annotations: { missing: 'none' } },
  ],
  ['nothing', {}, { name: '', generateName: '', labels: {}, annotations: { missing: 'map' } }],
  ['absent', undefined, { name: '', labels: {}, annotations: { missing: 'impossible' } }],
  ['a list', [], { annotations: { missing: 'impossible' } }],
  ['nulls', { name: null, labels: null, annotations: null }, { name: '', labels: {}, annotations: { missing: 'map' } }],
  ['wrong types', { name: 1, labels: ['x'], annotations: 'x' }, { name: '', labels: {}, annotations: { missing: 'impossible' } }],
  [
    'members of wrong types',
    { labels: { a: 1, b: 'c' }, annotations: { d: null, e: 'f' } },
    { labels: { b: 'c' }, annotations: { missing: 'none' } },
  ],
];

for (const [says, value, expected] of metadata) {
  test(`metadata: ${says}`, (t) => {
    t.match(read({ metadata: value }), expected);
    t.strictSame(read({ metadata: value }).labels, member(expected, 'labels') ?? {}, 'no label that nobody asked for');
    t.end();
  });
}

test('inherited members are none', (t) => {
  const inherited = Object.create({ a: 'x', b: ['x'] });
  t.equal(member(inherited, 'a'), undefined);
  t.equal(text({}, 'constructor'), null);
  t.strictSame(list(inherited, 'b'), []);
  t.strictSame(strings({ labels: JSON.parse('{"__proto__":"own","x":1}') }, 'labels'), JSON.parse('{"__proto__":"own"}'));
  t.end();
});
