/**
 * Pod creates at the real API server: without a webhook, with one that answers a fixed patch of the same size, and with transship.
 * Each has a namespace of its own, so that all are registered at once and the rounds can take turns. The processes are several, one after the other.
 */
import { writeFile } from 'node:fs/promises';
import { skipReason } from '../../test/cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { makeCertificate, type Certificate } from '../certificate.ts';
import { createPods, type Measured } from '../creates.ts';
import type { Figure, Round } from '../figure.ts';
import { warm } from '../load.ts';
import { policyOf } from '../policies.ts';
import { processOf } from '../process-cost.ts';
import { startReference, startServe, type Program } from '../program.ts';
import { register, unregister } from '../registration.ts';
import { podOf } from '../reviews.ts';
import { inTurn, type Built, type Settings } from '../subject.ts';
import { policyFigures } from './cluster-policies.ts';

/** Processes of each webhook, one after the other: two of the very same program differ by a tenth for as long as they live. */
const generations = 6;
const rounds = 3;
const podsOfRound = 240;
/** Reviews before the first pod: a webhook that has run for a while is what clusters have. */
const warmUp = 8_000;

interface Variant {
  readonly namespace: string;
  readonly webhook: Program | null;
}

export async function clusterSuite(subjects: readonly Built[], folder: string, settings: Settings): Promise<Figure[][] | string> {
  const missing = skipReason({ level: 1, helm: false });
  if (missing !== false) return missing;
  const figures = await webhookFigures(subjects, folder, settings);
  const [last] = subjects.slice(-1);
  if (last !== undefined) figures.at(-1)?.push(...(await policyFigures(last, folder, settings)));
  return figures;
}

async function webhookFigures(subjects: readonly Built[], folder: string, { quick, reference }: Settings): Promise<Figure[][]> {
  const certificate = await makeCertificate(folder);
  const policyFile = `${folder}/policy.yaml`;
  await writeFile(policyFile, JSON.stringify(policyOf({ rules: 50 })));
  const plane = await startControlPlane(undefined, { level: 1 });
  const measured = Array.from({ length: 2 + subjects.length }, (): Measured[] => []);
  try {
    const apiServer = await processOf(['kube-apiserver', plane.folder]);
    await plane.createNamespace('without', {});
    for (let generation = 0; generation < (quick ? 1 : generations); generation += 1) {
      const programs: Program[] = [];
      try {
        programs.push(await startReference(reference, 'answer', certificate));
        for (const subject of subjects) programs.push(await startServe(subject, { policyFile, certificate }));
        await runGeneration(plane, programs, { generation, quick, certificate, apiServer, measured });
      } finally {
        await Promise.all(programs.map((program) => program.stop()));
      }
    }
  } finally {
    await plane.stop();
  }
  const [without = [], fixed = [], ...own] = measured;
  const figures = own.map((each) => compare('transship', each, fixed));
  figures[0]?.push(...compare('no webhook', without, fixed).filter(({ name }) => !name.includes('of the webhook')));
  return figures;
}

interface Generation {
  readonly generation: number;
  readonly quick: boolean;
  readonly certificate: Certificate;
  /** Process. */
  readonly apiServer: number;
  /** Of no webhook, then of each program; to be added to. */
  readonly measured: readonly Measured[][];
}

/** Warms the webhooks, registers each for a namespace of its own, and creates pods in these in turn. */
async function runGeneration(
  plane: ControlPlane,
  programs: readonly Program[],
  { generation, quick, certificate, apiServer, measured }: Generation,
): Promise<void> {
  const webhooks = programs.map((webhook, index) => ({ namespace: `generation-${generation}-${index}`, webhook }));
  for (const { namespace, webhook } of webhooks) {
    await warm(webhook.port, certificate.authority, quick ? warmUp / 8 : warmUp);
    await register(plane, { namespace, url: `https://127.0.0.1:${webhook.port}/mutate`, authority: certificate.authority });
  }
  const variants: Variant[] = [{ namespace: 'without', webhook: null }, ...webhooks];
  // The first round is for the connections, and for what the API server remembers of a webhook.
  for (let round = -1; round < rounds; round += 1) {
    for (const [index, variant] of inTurn([...variants.entries()], round)) {
      const { namespace, webhook } = variant;
      const count = quick ? podsOfRound / 4 : podsOfRound;
      const result = await createPods(plane, { namespace, pod: podOf({}), count, apiServer, webhook: webhook?.pid ?? null });
      if (round >= 0) measured[index]?.push(result);
    }
  }
  for (const { namespace } of webhooks) await unregister(plane, namespace);
}

function compare(name: string, measured: readonly Measured[], fixed: readonly Measured[]): Figure[] {
  const figure = (what: string, unit: string, key: keyof Measured): Figure => ({
    suite: 'cluster',
    name: `${name}: ${what}`,
    unit,
    reference: 'webhook with a fixed answer',
    rounds: measured.flatMap((each, index): Round[] => {
      const other = fixed[index];
      return other === undefined ? [] : [{ value: each[key], reference: other[key] }];
    }),
  });
  return [
    figure('pod creates', 'pods/s', 'rate'),
    figure('p50', 'ms', 'p50'),
    figure('p99', 'ms', 'p99'),
    figure('CPU of the webhook a pod', 'µs', 'webhook'),
    figure('CPU of the API server a pod', 'µs', 'apiServer'),
  ];
}
