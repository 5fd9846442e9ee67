/** Random policies and random pods: the compiled policy and the engine make the same of them. TRANSSHIP_RANDOM_PODS says how many pods. */
import * as fc from 'fast-check';
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { pod } from './arbitrary-pod.ts';
import { startCluster, type Admission } from './equality.ts';
import { expressibleTexts } from './policy-texts.ts';

const podCount = Number(process.env['TRANSSHIP_RANDOM_PODS'] ?? '200');
const podsOfPolicy = 20;
tap.setTimeout(120_000 + podCount * 200);

test('random policies and pods', { skip: skipReason({ level: 1 }) }, async (t) => {
  const seed = Number(process.env['TRANSSHIP_RANDOM_SEED'] ?? Date.now() % 1_000_000);
  t.comment(`TRANSSHIP_RANDOM_SEED=${seed}`);
  const cluster = await startCluster(t);
  const policies = fc.sample(expressibleTexts, { seed, numRuns: Math.ceil(podCount / podsOfPolicy) });
  const admissions: { text: string; admission: Admission }[] = [];
  for (const [index, text] of policies.entries())
    admissions.push({ text, admission: await cluster.enforce(text, { matchImages: index % 2 === 1 }) });
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
