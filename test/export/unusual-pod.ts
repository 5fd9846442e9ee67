/** Random pods of what is valid and rare: names, records of others, pull secrets, labels, and annotations at their limit. */
import * as fc from '../random/fast-check.ts';
import type { PodBody } from './equality.ts';
import { unusualImage } from './unusual-image.ts';

const container = fc.record(
  { image: unusualImage, imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never') },
  { requiredKeys: ['image'] },
);

/** Digits alone are an index to JavaScript; the names of some others begin with the same letters. */
const names = ['10', '2', '1', '01', 'a', 'a-b', 'ab', 'volume', 'constructor', 'n'.repeat(63)] as const;

const images = 'transship.dev/original-images';
const rules = 'transship.dev/rewritten-by';
/** As transship writes them. */
const records = fc.constantFrom<Record<string, string>>(
  { [images]: '{"a":"quay.io/acme/app:1","volume.a":"nginx"}', [rules]: '{"a":"rule@r","volume.a":"x@r"}' },
  { [images]: '{"a-b":"x","1":"y","a":"z","10":"nginx"}' },
  { [images]: '{"gone":"nginx"}', [rules]: String.raw`{"gone":"a \"b\" \u2028 \\@r","a":"é@r"}`.replace('é', String.raw`\u00e9`) },
  { [rules]: '{"1":"x@r","0":"y@r"}' },
  { [images]: '', [rules]: '' },
  { [images]: '{}' },
  { [images]: 'null' },
  { [images]: '[]' },
  { [images]: '{"a":1}' },
  { [images]: '{"a":"x"' },
  { [images]: '{"a":"tab\t"}' },
  { [images]: `{"a":"${'x'.repeat(20_000)}"}` },
);

const labels = fc
  .tuple(
    fc.subarray<[string, string]>([
      ['app', 'shop'],
      ['app.kubernetes.io/name', 'x'],
      ['x/y', 'Z_z.z'],
      ['transship.dev/rewrite', ''],
    ]),
    // Each decides alone about the whole pod.
    fc.oneof(
      { weight: 6, arbitrary: fc.constant<[string, string][]>([]) },
      {
        weight: 4,
        arbitrary: fc.subarray<[string, string]>(
          [
            ['app', ''],
            ['managed', 'yes'],
            ['managed', 'no'],
            ['managed', ''],
            ['velero.io/pod-volume-restore', ''],
            ['transship.dev/rewrite', 'disabled'],
            ['transship.dev/rewrite', 'other'],
            ['cnpg.io/cluster', ''],
          ],
          { minLength: 1, maxLength: 2 },
        ),
      },
    ),
  )
  .map((parts) => Object.fromEntries(parts.flat()));

/** Of the other annotations: near the limit there is room for one record, or for none. */
const padding = fc.oneof(
  { weight: 8, arbitrary: fc.constant(0) },
  { weight: 1, arbitrary: fc.integer({ min: 256 * 1024 - 1_000, max: 256 * 1024 + 10 }) },
);

const secrets = fc.array(fc.constantFrom({ name: 'one' }, { name: 'two' }, { name: 'one' }, {}, { name: '' }, { name: 'three.example' }), {
  maxLength: 4,
});

export const unusualPod: fc.Arbitrary<PodBody> = fc
  .record({
    names: fc.shuffledSubarray([...names], { minLength: names.length }),
    labels,
    records: fc.oneof({ weight: 2, arbitrary: fc.constant({}) }, { weight: 1, arbitrary: records }),
    padding,
    containers: fc.array(container, { minLength: 1, maxLength: 6 }),
    initContainers: fc.array(container, { maxLength: 3 }),
    volumes: fc.array(
      fc.record(
        { reference: unusualImage, pullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never') },
        { requiredKeys: ['reference'] },
      ),
      {
        maxLength: 2,
      },
    ),
    secrets,
  })
  .map((each) => ({
    metadata: {
      name: 'unusual',
      labels: each.labels,
      annotations: { ...each.records, ...(each.padding > 0 && { note: 'é'.repeat(each.padding / 2) }) },
    },
    spec: {
      containers: each.containers.map((one, index) => ({ name: each.names[index], ...one })),
      initContainers: each.initContainers.map((one, index) => ({ name: each.names.at(-1 - index), ...one })),
      volumes: each.volumes.map((image, index) => ({ name: each.names[index], image })),
      ...(each.secrets.length > 0 && { imagePullSecrets: each.secrets }),
    },
  }));
