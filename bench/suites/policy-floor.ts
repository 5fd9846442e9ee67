/**
 * What any MutatingAdmissionPolicy costs at the real API server that does a part of what a compiled one does: its match conditions, being asked
 * again, and a patch of the right shape, each with constants in place of rules. Each has a namespace of its own, and they take turns.
 */
import assert from 'node:assert/strict';
import { writeFile } from 'node:fs/promises';
import { skipReason } from '../../test/cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { enforceCompiled, enforceConstant, enforceFloor, webhookConditions } from '../admission-policies.ts';
import { createPods } from '../creates.ts';
import type { Figure } from '../figure.ts';
import { floorsOf, type PodAnswer } from '../floor-policies.ts';
import { unpinLoad } from '../pinning.ts';
import { policyOf } from '../policies.ts';
import { processOf } from '../process-cost.ts';
import { untilRewritten } from '../registration.ts';
import { podOf } from '../reviews.ts';
import { inTurn, type Built, type Settings } from '../subject.ts';

const rounds = 15;
const podsOfRound = 240;
const rules = 5;

interface Variant {
  readonly namespace: string;
  readonly name: string;
  readonly images: 'matching' | 'foreign';
}

interface Measured {
  readonly rate: number;
  /** CPU microseconds a pod. */
  readonly apiServer: number;
  /** Go objects a pod. */
  readonly allocations: number;
}

/** Figures of the working tree alone, which is the last subject. */
export async function policyFloorSuite(subjects: readonly Built[], folder: string, { quick }: Settings): Promise<Figure[][] | string> {
  const missing = skipReason({ level: 1, helm: false });
  if (missing !== false) return missing;
  const subject = subjects.at(-1);
  if (subject === undefined) return [];
  unpinLoad();
  const plane = await startControlPlane(undefined, { level: 1 });
  try {
    const apiServer = await processOf(['kube-apiserver', plane.folder]);
    const variants = await enforceAll(plane, subject, folder);
    const measured = await runRounds(plane, variants, { apiServer, quick });
    return subjects.map((each) => (each === subject ? figuresOf(variants, measured) : []));
  } finally {
    await plane.stop();
  }
}

const none: Variant = { namespace: 'none', name: 'no admission', images: 'matching' };
const constant: Variant = { namespace: 'constant', name: 'a constant patch', images: 'matching' };

async function enforceAll(plane: ControlPlane, subject: Built, folder: string): Promise<readonly Variant[]> {
  const policy = policyOf({ rules });
  const policyFile = `${folder}/policy.yaml`;
  await writeFile(policyFile, JSON.stringify(policy));
  await enforceCompiled(plane, { namespace: 'compiled', subject, policyFile, matchImages: true });
  await enforceCompiled(plane, { namespace: 'default-mode', subject, policyFile, matchImages: false });
  const changed = await changedPod(plane, 'compiled');
  await plane.createNamespace(none.namespace, {});
  await enforceConstant(plane, constant.namespace);
  const floors = floorsOf(changed, webhookConditions(policy, true));
  for (const [namespace, { floor }] of Object.entries(floors)) await enforceFloor(plane, namespace, floor);
  for (const namespace of Object.keys(floors)) if (floors[namespace]?.images !== 'foreign') await untilRewritten(plane, namespace);
  for (const namespace of ['shape', 'both', 'shape-again'])
    assert.deepEqual(await changedPod(plane, namespace), changed, `the policy ${namespace} makes something else of a pod`);
  return [
    none,
    constant,
    ...Object.entries(floors).map(([namespace, { name, images }]): Variant => ({ namespace, name, images: images ?? 'matching' })),
    { namespace: 'compiled', name: 'compiled with --match-images', images: 'matching' },
    { namespace: 'default-mode', name: 'compiled', images: 'matching' },
    { namespace: 'default-mode', name: 'compiled, unconcerned', images: 'foreign' },
    { namespace: 'compiled', name: 'compiled with --match-images, unconcerned', images: 'foreign' },
  ];
}

interface CreatedPod {
  readonly metadata: Partial<PodAnswer['metadata']>;
  readonly spec: Partial<PodAnswer['spec']>;
}

/** What the API server makes of a pod in the namespace. */
async function changedPod(plane: ControlPlane, namespace: string): Promise<PodAnswer> {
  const { body } = await plane.api.send<CreatedPod>('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podOf({}));
  const { annotations = {} } = body.metadata;
  const { containers = [], initContainers = [], imagePullSecrets = [] } = body.spec;
  return {
    metadata: { annotations },
    spec: { containers: imagesOf(containers), initContainers: imagesOf(initContainers), imagePullSecrets },
  };
}

/** Other fields differ from pod to pod, such as the name of the service account's volume. */
function imagesOf(containers: PodAnswer['spec']['containers']): PodAnswer['spec']['containers'] {
  return containers.map(({ name, image }) => ({ name, image }));
}

/** In turn; the first round is for the connections, and for what the API server remembers. */
async function runRounds(
  plane: ControlPlane,
  variants: readonly Variant[],
  { apiServer, quick }: { readonly apiServer: number; readonly quick: boolean },
): Promise<ReadonlyMap<string, readonly Measured[]>> {
  const measured = new Map(variants.map(({ name }) => [name, [] as Measured[]]));
  const count = quick ? podsOfRound / 4 : podsOfRound;
  for (let round = -1; round < (quick ? 1 : rounds); round += 1) {
    const [, ofAsking] = await allocatedBy(plane, () => Promise.resolve());
    for (const { name, namespace, images } of inTurn(variants, round)) {
      const creates = { namespace, pod: podOf({ images }), count, dryRun: true, apiServer, webhook: null };
      const [{ rate, apiServer: cpu }, allocated] = await allocatedBy(plane, () => createPods(plane, creates));
      if (round >= 0) measured.get(name)?.push({ rate, apiServer: cpu, allocations: (allocated - ofAsking) / count });
    }
  }
  return measured;
}

/** Go objects that the API server allocated meanwhile, and for asking. */
async function allocatedBy<T>(plane: ControlPlane, work: () => Promise<T>): Promise<readonly [result: T, allocated: number]> {
  const before = await allocations(plane);
  const result = await work();
  return [result, (await allocations(plane)) - before];
}

async function allocations(plane: ControlPlane): Promise<number> {
  const { body } = await plane.api.send<string>('GET', '/metrics');
  const [, value] = /^go_memstats_mallocs_total (\S+)$/m.exec(body) ?? [];
  if (value === undefined) throw new Error('the API server does not say how much it has allocated');
  return Number(value);
}

function figuresOf(variants: readonly Variant[], measured: ReadonlyMap<string, readonly Measured[]>): Figure[] {
  const units = {
    rate: ['pod creates', 'pods/s'],
    apiServer: ['CPU of the API server a pod', 'µs'],
    allocations: ['allocations of the API server a pod', 'objects'],
  } as const;
  return variants.flatMap(({ name, images }) => {
    const { name: reference } = images === 'foreign' ? none : constant;
    const references = measured.get(reference) ?? [];
    return (['rate', 'apiServer', 'allocations'] as const).map((member) => ({
      suite: 'floor',
      name: `${name}: ${units[member][0]}`,
      unit: units[member][1],
      reference,
      rounds: (measured.get(name) ?? []).flatMap((each, index) => {
        const other = references[index];
        return other === undefined ? [] : [{ value: each[member], reference: other[member] }];
      }),
    }));
  });
}
