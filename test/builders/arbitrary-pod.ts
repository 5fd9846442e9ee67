/**
 * Random pods. `wildPod` has arbitrary JSON in every place, for what must hold whatever is sent; `storedPod` has the shape that
 * the API server has validated, for what must hold between an old and a new object.
 */
import * as fc from '../random/fast-check.ts';
import { fallbackAnnotation } from '../../src/pod/fallback-record.ts';
import { originalImagesAnnotation } from '../../src/pod/annotations.ts';
import { image } from '../rules/arbitrary-policy.ts';
import { json, loneSurrogate } from './arbitrary-json.ts';
import type { Json } from './pod.ts';

type Fields = Record<string, fc.Arbitrary<Json>>;

const someImage = fc.oneof(
  { weight: 6, arbitrary: image },
  {
    weight: 1,
    arbitrary: fc.constantFrom('', ' nginx', 'https://quay.io/a', 'Nginx', 'a'.repeat(2000), 'nginx\u001b[2J', `nginx${loneSurrogate}`),
  },
);
const policyName = fc.constantFrom('Always', 'IfNotPresent', 'Never');
const containerName = fc.constantFrom('a', 'b', 'c', 'volume.a', '__proto__', 'constructor', 'é🚢', 'x'.repeat(80), loneSurrogate);
const record = fc.oneof(
  fc.dictionary(containerName, image, { maxKeys: 3 }).map((entries) => JSON.stringify(entries)),
  fc.constantFrom(
    '',
    '{',
    'null',
    '[]',
    '{"a":1}',
    '{"a":{"b":"c"}}',
    '{"a": "nginx"}',
    JSON.stringify({ a: 'x'.repeat(16_300) }),
    JSON.stringify({ z: 'é'.repeat(9_000) }),
  ),
);

/** Now and then something else stands there. */
function wild(tame: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc.oneof({ weight: 14, arbitrary: tame }, { weight: 1, arbitrary: json });
}

function object(fields: Fields): fc.Arbitrary<Json> {
  const members = Object.entries(fields).map(([name, value]) =>
    fc.option(
      wild(value).map((entry) => [name, entry] as const),
      { nil: null, freq: 6 },
    ),
  );
  return fc.tuple(...members).map((entries) => Object.fromEntries(entries.filter((entry) => entry !== null)));
}

/** Seldom a long one. */
function list(item: fc.Arbitrary<Json>): fc.Arbitrary<Json> {
  return fc.oneof(
    { weight: 20, arbitrary: fc.array(wild(item), { maxLength: 4 }) },
    { weight: 1, arbitrary: fc.tuple(item, fc.integer({ min: 40, max: 90 })).map(([one, length]) => Array.from({ length }, () => one)) },
  );
}

const container = object({ name: containerName, image: someImage, imagePullPolicy: policyName, env: json });
const volume = object({ name: containerName, image: object({ reference: someImage, pullPolicy: policyName }), emptyDir: json });
const secret = object({ name: fc.constantFrom('one', 'two', 'three', 'four', '') });

const annotations = object({
  [originalImagesAnnotation]: record,
  [fallbackAnnotation]: fc.constantFrom('', '{', '{"a":{"step":1,"from":"x","to":"nginx","at":"2026-06-01T12:00:00Z"}}'),
  note: fc.constantFrom('', 'Zoë 🚢', 'x'.repeat(245 * 1024), 'é'.repeat(128 * 1024)),
  'a/b~c': fc.string(),
});

const spec = object({
  containers: list(container),
  initContainers: list(container),
  ephemeralContainers: list(container),
  volumes: list(volume),
  imagePullSecrets: list(secret),
  nodeName: json,
});

export const labels: fc.Arbitrary<Record<string, string>> = fc.constantFrom<Record<string, string>[]>(
  {},
  { app: 'shop' },
  { app: 'other' },
);

export const wildPod: fc.Arbitrary<Json> = wild(
  object({
    metadata: object({ name: fc.string(), labels, annotations, ownerReferences: list(object({ kind: fc.string(), controller: json })) }),
    spec: fc.oneof({ weight: 9, arbitrary: spec }, { weight: 1, arbitrary: json }),
    status: json,
  }),
).map(parsed);

/** As it arrives: no object stands in two places, and -0 is 0. */
function parsed(pod: Json): Json {
  return JSON.parse(JSON.stringify(pod));
}

export interface StoredPod {
  readonly metadata: { readonly annotations?: Record<string, string>; readonly labels: Record<string, string> };
  readonly spec: { readonly [field: string]: readonly { readonly name: string; readonly image?: unknown }[] };
}

function stored(fields: Fields): fc.Arbitrary<{ name: string }[]> {
  return fc.uniqueArray(fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd'), ...fields }), {
    maxLength: 4,
    selector: ({ name }) => name,
  });
}

const containerLists = ['containers', 'initContainers', 'ephemeralContainers'] as const;

/** No two containers of a pod have one name, whatever their lists (kubernetes/kubernetes, pkg/apis/core/validation/validation.go). */
const storedContainers = fc
  .uniqueArray(
    fc.tuple(
      fc.constantFrom(...containerLists),
      fc.record({ name: fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), image, imagePullPolicy: policyName }),
    ),
    { maxLength: 6, selector: ([, { name }]) => name },
  )
  .map((all) =>
    Object.fromEntries(
      containerLists.map((field) => [field, all.filter(([where]) => where === field).map(([, withItsName]) => withItsName)]),
    ),
  );

export const storedPod: fc.Arbitrary<StoredPod> = fc.record({
  metadata: fc.record(
    { labels, annotations: fc.dictionary(fc.constantFrom(originalImagesAnnotation, 'note'), record, { maxKeys: 2 }) },
    { requiredKeys: ['labels'] },
  ),
  spec: fc
    .tuple(
      storedContainers,
      fc.record({ volumes: stored({ image: fc.record({ reference: image, pullPolicy: policyName }) }), imagePullSecrets: stored({}) }),
    )
    .map(([containers, others]) => Object.assign({}, containers, others)),
});
