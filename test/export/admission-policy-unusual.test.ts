/** Policies and pods of what is valid and rare: the compiled policy and the engine make the same of them. TRANSSHIP_RANDOM_PODS says how many pods. */
import * as fc from 'fast-check';
import jsonPatch from 'fast-json-patch';
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { startCluster } from './equality.ts';
import { unusualPod } from './unusual-pod.ts';
import { unusualTexts } from './unusual-policy.ts';

const podCount = Number(process.env['TRANSSHIP_RANDOM_PODS'] ?? '200');
const podsOfPolicy = 20;
tap.setTimeout(120_000 + podCount * 200);

test('unusual policies and pods', { skip: skipReason({ level: 1 }) }, async (t) => {
  const seed = Number(process.env['TRANSSHIP_RANDOM_SEED'] ?? Date.now() % 1_000_000);
  t.comment(`TRANSSHIP_RANDOM_SEED=${seed}`);
  const cluster = await startCluster(t);
  let changes = 0;
  const policies = fc.sample(unusualTexts, { seed, numRuns: Math.ceil(podCount / podsOfPolicy) });
  for (const [index, text] of policies.entries()) {
    const admission = await cluster.enforce(text, { matchImages: index % 2 === 1 });
    for (const pod of fc.sample(unusualPod, { seed: seed + index, numRuns: podsOfPolicy })) {
      const difference = await admission.created(pod);
      if (difference === null) continue;
      const { engine, compiled } = difference;
      t.fail('another decision', { policy: text, pod, others: jsonPatch.compare([engine], [compiled], true) });
    }
    changes += admission.changes();
  }
  t.ok(changes > podCount / 10, `${changes} of ${podCount} pods were changed`);
});
