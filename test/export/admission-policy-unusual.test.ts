/** Policies and pods of what is valid and rare: the compiled policy and the engine make the same of them. TRANSSHIP_RANDOM_PODS says how many pods. */
import * as fc from '../random/fast-check.ts';
import { seed } from '../random/seed.ts';
import jsonPatch from 'fast-json-patch';
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { startCluster, type Admission, type Difference, type PodBody } from './equality.ts';
import { unusualPod } from './unusual-pod.ts';
import { unusualTexts } from './unusual-policy.ts';

const podCount = Number(process.env['TRANSSHIP_RANDOM_PODS'] ?? '200');
const podsOfPolicy = 20;
tap.setTimeout(120_000 + podCount * 200);

interface Container {
  readonly name: string;
  readonly image: string;
}

/** The images, labels and annotations of another pod, for one that was created without the policy. */
async function changed(admission: Admission, pod: PodBody, other: PodBody): Promise<(Difference | null)[]> {
  if (!(await admission.isAccepted(pod)) || !(await admission.isAccepted(other))) return [];
  const name = `stored-${(storedCount += 1)}`;
  const stored = await admission.store({ ...pod, metadata: { ...pod.metadata, name, labels: { 'transship.dev/rewrite': 'disabled' } } });
  const { labels, annotations } = (other.metadata ?? {}) as { labels: Record<string, string>; annotations: Record<string, string> };
  const images = (other.spec['containers'] as readonly Container[]).map(({ image }) => image);
  const lists = ['containers', 'initContainers'] as const;
  const change = ({ metadata, spec, ...rest }: typeof stored): typeof stored => {
    const changedLists = lists.flatMap((list) => (spec[list] === undefined ? [] : [[list, withImages(spec[list] as Container[], images)]]));
    return { ...rest, metadata: { ...metadata, labels, annotations }, spec: { ...spec, ...Object.fromEntries(changedLists) } };
  };
  const debug = images.map((image, index) => ({ name: `debug-${index}`, image }));
  return [await admission.updated(stored, change), await admission.debugged(stored, debug)];
}

function withImages(list: readonly Container[], images: readonly string[]): Container[] {
  return list.map((each, index) => Object.assign({}, each, { image: images[index] ?? each.image }));
}

let storedCount = 0;

test('unusual policies and pods', { skip: skipReason({ level: 1 }) }, async (t) => {
  t.comment(`TRANSSHIP_RANDOM_SEED=${seed}`);
  const cluster = await startCluster(t);
  let changes = 0;
  const policies = fc.sample(unusualTexts, { seed, numRuns: Math.ceil(podCount / podsOfPolicy) });
  for (const [index, text] of policies.entries()) {
    const admission = await cluster.enforce(text, { matchImages: index % 2 === 1 });
    const pods = fc.sample(unusualPod, { seed: seed + index, numRuns: podsOfPolicy });
    for (const [place, pod] of pods.entries()) {
      const differences = [await admission.created(pod), ...(place % 4 === 0 ? await changed(admission, pod, pods[place + 1] ?? pod) : [])];
      for (const difference of differences) {
        if (difference === null) continue;
        const { engine, compiled } = difference;
        t.fail('another decision', { policy: text, pod: difference.pod, others: jsonPatch.compare([engine], [compiled], true) });
      }
    }
    changes += admission.changes();
  }
  t.ok(changes > podCount / 10, `${changes} of ${podCount} pods were changed`);
});
