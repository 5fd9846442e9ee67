/** Random pods: images in every place, spellings, secrets, records, and labels that decide who is rewritten. */
import * as fc from '../random/fast-check.ts';
import { image } from '../rules/arbitrary-policy.ts';
import type { PodBody } from './equality.ts';

export const chosenImage = fc.oneof(
  { weight: 9, arbitrary: image },
  { weight: 1, arbitrary: fc.constantFrom('https://quay.io/a', 'Nginx', 'auto') },
);

function container(images: fc.Arbitrary<string>): fc.Arbitrary<object> {
  return fc.record({ image: images, imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never') }, { requiredKeys: ['image'] });
}

export const records: fc.Arbitrary<Record<string, string>> = fc.record(
  {
    'transship.dev/original-images': fc.constantFrom('{"c-0":"nginx"}', '{"other":"nginx:1","c-1":"x"}', 'none', '{}'),
    note: fc.constantFrom('', 'é', 'x'.repeat(1000)),
  },
  { requiredKeys: [] },
);

export const pod = podOf(chosenImage);

export function podOf(images: fc.Arbitrary<string>): fc.Arbitrary<PodBody> {
  return fc
    .record({
      labels: fc.constantFrom({}, { app: 'shop' }, { 'velero.io/pod-volume-backup': 'a' }, { app: 'shop', 'cnpg.io/cluster': 'b' }),
      annotations: records,
      containers: fc.array(container(images), { minLength: 1, maxLength: 3 }),
      initContainers: fc.array(container(images), { maxLength: 2 }),
      volumes: fc.array(fc.record({ reference: images, pullPolicy: fc.constantFrom('Always', 'IfNotPresent') }), { maxLength: 2 }),
      imagePullSecrets: fc.uniqueArray(fc.constantFrom('one', 'two', 'four'), { maxLength: 2 }),
    })
    .map(({ labels, annotations, containers, initContainers, volumes, imagePullSecrets }) => ({
      metadata: { name: 'random', labels, annotations },
      spec: {
        containers: containers.map((each, index) => ({ name: `c-${index}`, ...each })),
        initContainers: initContainers.map((each, index) => ({ name: `i-${index}`, ...each })),
        volumes: volumes.map((each, index) => ({ name: `v-${index}`, image: each })),
        ...(imagePullSecrets.length === 0 ? {} : { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
      },
    }));
}
