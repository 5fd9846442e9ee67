/** Random policies and random pods: the compiled policy and the engine make the same of them. TRANSSHIP_RANDOM_PODS says how many pods. */
import * as fc from '../random/fast-check.ts';
import { seed } from '../random/seed.ts';
import tap, { test } from 'tap';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { skipReason } from '../cluster/binaries.ts';
import { pod } from './arbitrary-pod.ts';
import { defaults, loaded, startCluster, type Admission } from './equality.ts';
import { expressibleTexts } from './policy-texts.ts';

const podCount = Number(process.env['TRANSSHIP_RANDOM_PODS'] ?? '200');
const podsOfPolicy = 20;
tap.setTimeout(120_000 + podCount * 200);

/** Files of resolved hosts: of some policies nodes do not reach a registry, so that its rules begin with an alternative. */
const unavailable = [
  '',
  'a: { unavailable: true }\n',
  '',
  'a: { unavailable: true }\nb: { unavailable: true }\n',
  'c: { unavailable: true }\n',
];

test('random policies and pods', { skip: skipReason({ level: 1 }) }, async (t) => {
  t.comment(`TRANSSHIP_RANDOM_SEED=${seed}`);
  const cluster = await startCluster(t);
  const policies = fc.sample(expressibleTexts, { seed, numRuns: Math.ceil(podCount / podsOfPolicy) });
  const admissions: { text: string; admission: Admission }[] = [];
  for (const [index, text] of policies.entries()) {
    const hosts = unavailable[index % unavailable.length] ?? '';
    const isSaid = exportAdmissionPolicy(loaded(text, hosts), defaults).refusals.length === 0;
    admissions.push({ text, admission: await cluster.enforce(text, { matchImages: index % 2 === 1, hosts: isSaid ? hosts : '' }) });
  }
  let changes = 0;
  for (const [index, { text, admission }] of admissions.entries()) {
    for (const each of fc.sample(pod, { seed: seed + index, numRuns: podsOfPolicy })) {
      const difference = await admission.created(each);
      if (difference !== null) t.fail('another decision', { policy: text, hosts: unavailable[index % unavailable.length], ...difference });
    }
    changes += admission.changes();
  }
  t.ok(changes > podCount / 10, `${changes} of ${podCount} pods were changed`);
});
