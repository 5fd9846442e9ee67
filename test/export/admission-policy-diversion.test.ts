/** Registries that nodes do not reach: the compiled policy and the engine send images to the same target. */
import tap, { test } from 'tap';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { skipReason } from '../cluster/binaries.ts';
import { defaults, loaded, startCluster, type PodBody } from './equality.ts';

tap.setTimeout(180_000);

const policy = (rules: readonly string[]): string => `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  first: { host: first.example }
  second: { host: second.example }
  third: { host: third.example/${'deep/'.repeat(20)}x }
rules:
${rules.map((rule) => `  - ${rule}`).join('\n')}
`;

const rules = [
  '{ name: hub, match: { images: [docker.io] }, rewrite: { registry: first, as: path }, alternatives: [{ registry: second, as: fullName }] }',
  '{ name: moving, match: { images: [quay.io] }, rewrite: { registry: first, as: fullName }, alternatives: [{ registry: second, as: flatten }], onMutableTag: fallBack }',
  '{ name: always, match: { images: [gcr.io] }, rewrite: { registry: first, as: path }, alternatives: [{ registry: second, as: path }], pullPolicy: Always }',
  '{ name: derived, match: { images: [ghcr.io/a, ghcr.io] }, rewrite: { registry: first, as: path }, alternatives: [{ registry: second, as: remainder, prefix: p }], pullPolicy: derive }',
  '{ name: fixed, match: { images: [registry.k8s.io] }, rewrite: { registry: first, as: path }, alternatives: [{ registry: second, as: path }, { registry: third, as: path }], pullPolicy: IfNotPresent }',
  // Images whose host has a port have no name at the first alternative, and long ones none at the last.
  "{ name: ports, match: { images: ['reg.example:5000', reg.example] }, rewrite: { registry: first, as: path }, alternatives: [{ registry: second, as: fullName }, { registry: third, as: path }], onMutableTag: fallBack }",
  "{ name: refused, match: { images: ['other.example:5000'] }, rewrite: { registry: first, as: fullName }, alternatives: [{ registry: second, as: path }] }",
  '{ name: alone, match: { images: [public.ecr.aws] }, rewrite: { registry: first, as: path } }',
];

const digest = `@sha256:${'0a'.repeat(32)}`;
const names = [
  ...[
    'nginx',
    'quay.io/a/b',
    'gcr.io/a',
    'ghcr.io/a/b',
    'ghcr.io/c',
    'registry.k8s.io/pause',
    'reg.example:5000/a',
    'reg.example/a',
  ].flatMap((name) => ['', ':1', ':latest', digest, `:latest${digest}`].map((suffix) => name + suffix)),
  `reg.example:5000/${'a'.repeat(150)}`,
  'other.example:5000/a:1',
  'public.ecr.aws/a:1',
  'second.example/a:1',
  'first.example/a:1',
  'third.example/a:1',
];

/** One container for each image and pull policy. */
const pods: PodBody[] = ['Always', 'IfNotPresent', 'Never', undefined].map((imagePullPolicy) => ({
  metadata: { name: 'diverted' },
  spec: {
    containers: names.map((image, index) =>
      Object.assign({ name: `c-${index}`, image }, imagePullPolicy === undefined ? {} : { imagePullPolicy }),
    ),
    volumes: [{ name: 'v', image: { reference: 'nginx:1', ...(imagePullPolicy !== undefined && { pullPolicy: imagePullPolicy }) } }],
  },
}));

const states: readonly (readonly [says: string, hosts: string])[] = [
  ['all are reached', ''],
  ['the first is not', 'first: { unavailable: true }\n'],
  ['the first and the second are not', 'first: { unavailable: true }\nsecond: { unavailable: true }\n'],
  ['an alternative is not', 'second: { unavailable: true }\n'],
  ['none is', 'first: { unavailable: true }\nsecond: { unavailable: true }\nthird: { unavailable: true }\n'],
];

test('pods that are created and updated', { skip: skipReason({ level: 1 }) }, async (t) => {
  const cluster = await startCluster(t);
  for (const [says, hosts] of states) {
    const admission = await cluster.enforce(policy(rules), { hosts });
    for (const pod of pods) t.equal(await admission.created(pod), null, `${says}: created`);
    const stored = await admission.store({
      metadata: { name: 'stored', labels: { 'transship.dev/rewrite': 'disabled' } },
      spec: pods[1]?.spec ?? {},
    });
    const other = (pod: typeof stored): typeof stored => ({
      ...pod,
      metadata: { ...pod.metadata, labels: {} },
      spec: { ...pod.spec, containers: (pod.spec['containers'] as object[]).map((each) => Object.assign({}, each, { image: 'nginx:2' })) },
    });
    t.equal(await admission.updated(stored, other), null, `${says}: updated`);
    t.ok(admission.changes() > 0, says);
  }
});

test('an alternative that CEL cannot express is refused while it comes first, and only then', (t) => {
  const text = policy([
    "{ name: hub, match: { images: [{ regex: '^docker\\.io/(.*)$' }] }, rewrite: { registry: first, as: path }, alternatives: [{ as: template, template: 'second.example/$1' }] }",
    '{ name: quay, match: { images: [{ regex: ^quay } ] }, rewrite: { registry: first, as: path }, alternatives: [{ registry: second, as: remainder }] }',
  ]);
  const refusals = (hosts: string): string[] => exportAdmissionPolicy(loaded(text, hosts), defaults).refusals.map(({ message }) => message);
  t.strictSame(refusals(''), []);
  t.strictSame(refusals('first: { unavailable: true }'), ['as: template: CEL cannot replace by the captures of an expression']);
  t.end();
});
