/**
 * Pod creates at the real API server with a MutatingAdmissionPolicy: the compiled one beside one that always makes the same patch, which no such
 * policy can be below, and beside the webhook. Each has a namespace of its own, so that all are there at once and the rounds can take turns.
 * Pods are not stored: etcd would hide a part of what admission costs.
 */
import { writeFile } from 'node:fs/promises';
import { startControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { enforceCompiled, enforceConstant, webhookConditions } from '../admission-policies.ts';
import { makeCertificate, type Certificate } from '../certificate.ts';
import { createPods, type Measured } from '../creates.ts';
import type { Figure } from '../figure.ts';
import { warm } from '../load.ts';
import { unpinLoad } from '../pinning.ts';
import { policyOf } from '../policies.ts';
import { processOf } from '../process-cost.ts';
import { startReference, startServe, type Program } from '../program.ts';
import { register } from '../registration.ts';
import { podOf, type PodWish } from '../reviews.ts';
import { inTurn, type Built, type Settings } from '../subject.ts';
import { figuresOf, type VariantName } from './cluster-policies-figures.ts';

const rounds = 9;
const podsOfRound = 120;
const warmUp = 8_000;

export interface Case {
  readonly rules: number;
  /** Of a pod, one of them an init container where there are several. */
  readonly containers: number;
}

const cases: readonly Case[] = [
  { rules: 5, containers: 3 },
  { rules: 50, containers: 1 },
  { rules: 50, containers: 3 },
  { rules: 50, containers: 20 },
  { rules: 500, containers: 3 },
];

interface Variant {
  readonly name: VariantName;
  readonly namespace: string;
  readonly images: 'matching' | 'foreign';
  readonly webhook: Program | null;
}

/** Figures of the working tree alone, which is the last subject. */
export async function policyFigures(subject: Built, folder: string, { quick, reference }: Settings): Promise<Figure[]> {
  const certificate = await makeCertificate(folder);
  unpinLoad();
  const plane = await startControlPlane(undefined, { level: 1 });
  const figures: Figure[] = [];
  try {
    const apiServer = await processOf(['kube-apiserver', plane.folder]);
    const fixed = await startReference(reference, 'answer', certificate);
    try {
      await register(plane, { namespace: 'fixed', url: urlOf(fixed), authority: certificate.authority });
      await plane.createNamespace('none', {});
      await enforceConstant(plane, 'constant');
      const shared: Variant[] = [
        { name: 'no admission', namespace: 'none', images: 'matching', webhook: null },
        { name: 'constant policy', namespace: 'constant', images: 'matching', webhook: null },
        { name: 'fixed webhook', namespace: 'fixed', images: 'matching', webhook: fixed },
      ];
      for (const each of quick ? cases.slice(0, 1) : cases)
        figures.push(...(await runCase(each, { plane, shared, certificate, subject, folder, apiServer, quick })));
    } finally {
      await fixed.stop();
    }
  } finally {
    await plane.stop();
  }
  return figures;
}

interface Context {
  readonly plane: ControlPlane;
  readonly shared: readonly Variant[];
  readonly certificate: Certificate;
  readonly subject: Built;
  readonly folder: string;
  readonly apiServer: number;
  readonly quick: boolean;
}

async function runCase(wish: Case, { plane, shared, certificate, subject, folder, apiServer, quick }: Context): Promise<Figure[]> {
  const id = `${wish.rules}-${wish.containers}`;
  const policyFile = `${folder}/policy-${id}.yaml`;
  const policy = policyOf({ rules: wish.rules });
  await writeFile(policyFile, JSON.stringify(policy));
  for (const matchImages of [false, true])
    await enforceCompiled(plane, { namespace: `${matchImages ? 'matching' : 'compiled'}-${id}`, subject, policyFile, matchImages });
  const program = await startServe(subject, { policyFile, certificate });
  try {
    await warm(program.port, certificate.authority, quick ? warmUp / 8 : warmUp);
    for (const [namespace, isFiltered] of [
      [`webhook-${id}`, false],
      [`filtered-${id}`, true],
    ] as const)
      await register(plane, {
        namespace,
        url: urlOf(program),
        authority: certificate.authority,
        fields: { reinvocationPolicy: 'IfNeeded', matchConditions: webhookConditions(policy, isFiltered) },
      });
    const variants: readonly Variant[] = [
      // Its answer is for pods of three containers.
      ...shared.filter(({ name }) => name !== 'fixed webhook' || wish.containers === 3),
      { name: 'compiled policy', namespace: `compiled-${id}`, images: 'matching', webhook: null },
      { name: 'compiled policy with --match-images', namespace: `matching-${id}`, images: 'matching', webhook: null },
      { name: 'webhook', namespace: `webhook-${id}`, images: 'matching', webhook: program },
      { name: 'compiled policy, unconcerned', namespace: `compiled-${id}`, images: 'foreign', webhook: null },
      { name: 'compiled policy with --match-images, unconcerned', namespace: `matching-${id}`, images: 'foreign', webhook: null },
      { name: 'webhook, unconcerned', namespace: `webhook-${id}`, images: 'foreign', webhook: program },
      { name: 'webhook with match condition, unconcerned', namespace: `filtered-${id}`, images: 'foreign', webhook: program },
    ];
    return figuresOf(wish, await runRounds(plane, variants, wish, { apiServer, quick }));
  } finally {
    await program.stop();
  }
}

/** In turn; the first round is for the connections, and for what the API server remembers. */
async function runRounds(
  plane: ControlPlane,
  variants: readonly Variant[],
  wish: Case,
  { apiServer, quick }: Pick<Context, 'apiServer' | 'quick'>,
): Promise<ReadonlyMap<VariantName, readonly Measured[]>> {
  const measured = new Map(variants.map(({ name }) => [name, [] as Measured[]]));
  for (let round = -1; round < (quick ? 1 : rounds); round += 1)
    for (const { name, namespace, images, webhook } of inTurn(variants, round)) {
      const pod = podOf({ ...containersOf(wish), images });
      const count = quick ? podsOfRound / 4 : podsOfRound;
      const result = await createPods(plane, { namespace, pod, count, dryRun: true, apiServer, webhook: webhook?.pid ?? null });
      if (round >= 0) measured.get(name)?.push(result);
    }
  return measured;
}

function containersOf({ containers }: Case): PodWish {
  return containers === 1 ? { containers, initContainers: 0 } : { containers: containers - 1, initContainers: 1 };
}
const urlOf = ({ port }: Program): string => `https://127.0.0.1:${port}/mutate`;
