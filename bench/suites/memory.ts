/** Resident memory, made and run as in the image: idle, under load, after many reviews, and after many policies. */
import { writeFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { makeCertificate, type Certificate } from '../certificate.ts';
import type { Figure } from '../figure.ts';
import { messageOf, openConnections } from '../load.ts';
import { policyOf } from '../policies.ts';
import { residentMemory } from '../process-cost.ts';
import { startReference, startServe, type Program } from '../program.ts';
import type { Difference } from '../reviews.ts';
import type { Built, Settings } from '../subject.ts';

const connectionCount = 32;
/** Samples while the reviews are sent. */
const steps = 20;
const reloads = 1_000;
const quickReloads = 5;
const mebibyte = 1024 * 1024;

interface Measured {
  readonly idle: number;
  readonly highest: number;
  /** The same when none of the images was seen before, so that nothing is answered from memory. */
  readonly highestOfNew: number;
  /** Mean of the last quarter of the samples against that of the second. */
  readonly growth: number;
  readonly reloaded: number;
}

export async function memorySuite(subjects: readonly Built[], folder: string, settings: Settings): Promise<Figure[][]> {
  const certificate = await makeCertificate(folder);
  const reference = await measure(await startReference(settings.reference, 'parse', certificate), certificate, settings, null);
  const figures: Figure[][] = [];
  for (const subject of subjects) {
    const policyFile = `${folder}/policy.yaml`;
    await writeFile(policyFile, JSON.stringify(policyOf({ rules: 50 })));
    const own = await measure(await startServe(subject, { policyFile, certificate }), certificate, settings, policyFile);
    figures.push([
      figure('idle', own.idle, reference.idle),
      figure(`highest during ${settings.reviews} reviews of 8 KB at ${connectionCount} connections`, own.highest, reference.highest),
      figure('highest during as many with images never seen before', own.highestOfNew, reference.highestOfNew),
      figure('last quarter of these against the second', own.growth, reference.growth),
      figure(`after ${settings.quick ? quickReloads : reloads} policies of 500 rules`, own.reloaded, reference.highest),
    ]);
  }
  return figures;
}

function figure(name: string, value: number, other: number): Figure {
  return { suite: 'memory', name, unit: 'MiB', reference: 'bare node:https that parses', rounds: [{ value, reference: other }] };
}

async function measure(
  program: Program,
  certificate: Certificate,
  { quick, reviews }: Settings,
  policyFile: string | null,
): Promise<Measured> {
  try {
    await sleep(quick ? 200 : 2_000);
    const idle = await resident(program);
    const samples = await underLoad(program, certificate, { reviews, difference: 'names' });
    const ofNew = await underLoad(program, certificate, { reviews, difference: 'images' });
    if (policyFile !== null) {
      // Settled before each change is written, as with the kubelet, which takes a minute.
      for (let turn = 0; turn < (quick ? quickReloads : reloads); turn += 1) {
        const reloaded = program.logged('policy reloaded');
        await writeFile(
          policyFile,
          JSON.stringify(policyOf({ rules: 500, rewrite: { registry: 'proxy', as: 'path', prefix: `turn-${turn}` } })),
        );
        await reloaded;
      }
    }
    const quarter = ofNew.length / 4;
    return {
      idle,
      highest: Math.max(...samples),
      highestOfNew: Math.max(...ofNew),
      growth: mean(ofNew.slice(-quarter)) - mean(ofNew.slice(quarter, 2 * quarter)),
      reloaded: await resident(program),
    };
  } finally {
    await program.stop();
  }
}

async function underLoad(
  program: Program,
  { authority }: Certificate,
  { reviews, difference }: { readonly reviews: number; readonly difference: Difference },
): Promise<number[]> {
  const message = messageOf({ size: 8_800 }, difference);
  const connections = await openConnections(program.port, authority, connectionCount);
  const samples: number[] = [];
  try {
    for (let step = 0; step < steps; step += 1) {
      await connections.send(message, Math.ceil(reviews / steps));
      samples.push(await resident(program));
    }
  } finally {
    connections.close();
  }
  return samples;
}

async function resident({ pid }: Program): Promise<number> {
  return ((await residentMemory(pid)) ?? Number.NaN) / mebibyte;
}

function mean(values: readonly number[]): number {
  return values.reduce((sum, value) => sum + value, 0) / values.length;
}
