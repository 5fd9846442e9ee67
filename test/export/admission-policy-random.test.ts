/** Random policies and random pods: the compiled policy and the engine make the same of them. TRANSSHIP_RANDOM_PODS says how many pods. */
import * as fc from 'fast-check';
import tap, { test } from 'tap';
import { stringify } from 'yaml';
import { loadPolicy } from '../../src/config/load.ts';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { skipReason } from '../cluster/binaries.ts';
import { image, policy } from '../rules/arbitrary-policy.ts';
import type { PolicyInput } from '../rules/policy.ts';
import { defaults, startCluster, type Admission, type PodBody } from './equality.ts';

const podCount = Number(process.env['TRANSSHIP_RANDOM_PODS'] ?? '200');
const podsOfPolicy = 20;
tap.setTimeout(120_000 + podCount * 200);

const chosenImage = fc.oneof(
  { weight: 9, arbitrary: image },
  { weight: 1, arbitrary: fc.constantFrom('https://quay.io/a', 'Nginx', 'auto') },
);
const container = fc.record(
  { image: chosenImage, imagePullPolicy: fc.constantFrom('Always', 'IfNotPresent', 'Never') },
  { requiredKeys: ['image'] },
);
const records = fc.record(
  {
    'transship.dev/original-images': fc.constantFrom('{"c-0":"nginx"}', '{"other":"nginx:1","c-1":"x"}', 'none', '{}'),
    note: fc.constantFrom('', 'é', 'x'.repeat(1000)),
  },
  { requiredKeys: [] },
);

const pod: fc.Arbitrary<PodBody> = fc
  .record({
    labels: fc.constantFrom({}, { app: 'shop' }, { 'velero.io/pod-volume-backup': 'a' }, { app: 'shop', 'cnpg.io/cluster': 'b' }),
    annotations: records,
    containers: fc.array(container, { minLength: 1, maxLength: 3 }),
    initContainers: fc.array(container, { maxLength: 2 }),
    volumes: fc.array(fc.record({ reference: chosenImage, pullPolicy: fc.constantFrom('Always', 'IfNotPresent') }), { maxLength: 2 }),
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

type Rule = NonNullable<PolicyInput['rules']>[number];

/** Without alternatives, whose pull secrets the format cannot say, and with the settings for pods that the generator does not vary. */
function varied(rule: Rule, index: number): Rule {
  const { alternatives: _alternatives, ...rest } = rule;
  if (rule.rewrite === undefined) return rest;
  const pullPolicy = (['keep', 'derive', 'IfNotPresent', 'Always'] as const)[index % 4];
  const onPullPolicyNever = (['auto', 'keep', 'rewrite'] as const)[index % 3];
  return { ...rest, pullPolicy, onPullPolicyNever };
}

/** Only those that the format can say. */
const expressible = policy
  .map((parts) => stringify({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', ...parts, rules: (parts.rules ?? []).map(varied) }))
  .filter((text) => {
    const { compiled } = loadPolicy(text, 'random.yaml');
    return compiled !== null && exportAdmissionPolicy(compiled, defaults).refusals.length === 0;
  });

test('random policies and pods', { skip: skipReason({ level: 1 }) }, async (t) => {
  const seed = Number(process.env['TRANSSHIP_RANDOM_SEED'] ?? Date.now() % 1_000_000);
  t.comment(`TRANSSHIP_RANDOM_SEED=${seed}`);
  const cluster = await startCluster(t);
  const policies = fc.sample(expressible, { seed, numRuns: Math.ceil(podCount / podsOfPolicy) });
  const admissions: { text: string; admission: Admission }[] = [];
  for (const text of policies) admissions.push({ text, admission: await cluster.enforce(text) });
  let changes = 0;
  for (const [index, { text, admission }] of admissions.entries()) {
    for (const each of fc.sample(pod, { seed: seed + index, numRuns: podsOfPolicy })) {
      const difference = await admission.created(each);
      if (difference !== null) t.fail('another decision', { policy: text, ...difference });
    }
    changes += admission.changes();
  }
  t.ok(changes > podCount / 10, `${changes} of ${podCount} pods were changed`);
});
