/** The server as the API server meets it: CPU a request, requests a second and latency, against a bare HTTPS server that parses. */
import { writeFile } from 'node:fs/promises';
import type { Figure, Round } from '../figure.ts';
import { makeCertificate, type Certificate } from '../certificate.ts';
import { warm } from '../load.ts';
import { policyOf } from '../policies.ts';
import { startReference, startServe } from '../program.ts';
import type { Built, Settings } from '../subject.ts';
import { runCase, type Case, type Contender, type Measured } from './https-case.ts';

const cases: readonly Case[] = [
  { name: '8 KB, 4 connections', review: { size: 8_800 }, connections: 4, requests: 4_000 },
  { name: '8 KB, 32 connections', review: { size: 8_800 }, connections: 32, requests: 4_000 },
  { name: '8 KB, no rule matches', review: { size: 8_800, images: 'foreign' }, connections: 32, requests: 4_000 },
  { name: '8 KB, tag and digest', review: { size: 8_800, images: 'digest' }, connections: 32, requests: 4_000 },
  { name: '8 KB, other names', review: { size: 8_800 }, connections: 32, difference: 'names', requests: 4_000 },
  { name: '60 KB, 4 connections', review: { size: 60_000 }, connections: 4, requests: 1_200 },
  { name: '60 KB, 32 connections', review: { size: 60_000 }, connections: 32, requests: 1_200 },
  { name: '60 KB, other names', review: { size: 60_000 }, connections: 32, difference: 'names', requests: 1_200 },
  // What the API server of a cluster with much to do asks, and not what a server can take: between two requests the caches grow cold.
  { name: '4 KB', review: { size: 3_500 }, connections: 4, requests: 2_000, rate: 200 },
  { name: '400 KB, 4 connections', review: { size: 400_000 }, connections: 4, requests: 200 },
  { name: '400 KB, 32 connections', review: { size: 400_000 }, connections: 32, requests: 200 },
  // At the end: the heap has grown by then, and V8 takes its time to give that back, in the next thing that is measured.
  { name: '8 KB, other images', review: { size: 8_800 }, connections: 32, difference: 'images', requests: 4_000 },
  { name: '60 KB, other images', review: { size: 60_000 }, connections: 32, difference: 'images', requests: 1_200 },
];

/** Processes of each program, one after the other: two of the very same program differ by a tenth for as long as they live. */
const generations = 4;
/** Requests of 8 KB after which V8 has compiled what it will. */
const warmUp = 12_000;

export async function httpsSuite(subjects: readonly Built[], folder: string, { quick, reference: file }: Settings): Promise<Figure[][]> {
  const certificate = await makeCertificate(folder);
  const policyFile = `${folder}/policy.yaml`;
  await writeFile(policyFile, JSON.stringify(policyOf({ rules: 50 })));
  const measured = cases.map((): Measured[] => Array.from({ length: 2 + 2 * subjects.length }, () => ({ loads: [], paced: [] })));
  for (let generation = 0; generation < (quick ? 1 : generations); generation += 1) {
    const contenders: Contender[] = [];
    try {
      await startAll(contenders, subjects, { file, policyFile, certificate });
      for (const { program } of contenders) await warm(program.port, certificate.authority, quick ? warmUp / 8 : warmUp);
      for (const [index, each] of cases.entries()) {
        const wanted = quick ? { ...each, requests: Math.ceil(each.requests / 8) } : each;
        await runCase(contenders, certificate.authority, wanted, measured[index] ?? []);
      }
    } finally {
      await Promise.all(contenders.map(({ program }) => program.stop()));
    }
  }
  return figuresOf(subjects, measured);
}

interface Common {
  /** The reference server. */
  readonly file: string;
  readonly policyFile: string;
  readonly certificate: Certificate;
}

/** @param started the reference, then the one that drops the body, then two of each subject; when one cannot be started, those before it */
async function startAll(started: Contender[], subjects: readonly Built[], { file, policyFile, certificate }: Common): Promise<void> {
  started.push({ program: await startReference(file, 'parse', certificate), isPaced: true });
  started.push({ program: await startReference(file, 'drop', certificate), isPaced: true });
  for (const subject of subjects) {
    started.push({ program: await startServe(subject, { policyFile, certificate }), isPaced: true });
    started.push({
      program: await startServe(
        { ...subject, name: `${subject.name}, only rewritten logged` },
        { policyFile, certificate, args: ['--log-reviews', 'rewritten'] },
      ),
      isPaced: false,
    });
  }
}

const nothing: Measured = { loads: [], paced: [] };

function figuresOf(subjects: readonly Built[], measured: readonly (readonly Measured[])[]): Figure[][] {
  const figures = subjects.map((): Figure[] => []);
  for (const [index, { name, review, rate }] of cases.entries()) {
    const [reference = nothing, dropping = nothing, ...ofSubjects] = measured[index] ?? [];
    for (const [subject, list] of figures.entries()) {
      const [own = nothing, onlyRewritten = nothing] = ofSubjects.slice(subject * 2, subject * 2 + 2);
      list.push(...compare({ name, rate }, own, reference));
      if (review.images === 'foreign')
        list.push(figure(`${name}, not logged: CPU a request`, 'µs', pairs(onlyRewritten.loads, reference.loads, 'cpu')));
    }
    // Not ours: how far below the reference a server could be that did nothing at all, and what of the latency is the machine's.
    figures[0]?.push(
      figure(`${name}: CPU of a bare server that drops the body`, 'µs', pairs(dropping.loads, reference.loads, 'cpu')),
      figure(`${name}: p99 of a bare server that drops the body`, 'ms', pairs(dropping.paced, reference.paced, 'p99')),
    );
  }
  return figures;
}

function compare({ name, rate }: Pick<Case, 'name' | 'rate'>, measured: Measured, reference: Measured): Figure[] {
  const pace = rate === undefined ? 'half the rate' : `${rate} a second`;
  return [
    figure(`${name}: CPU a request`, 'µs', pairs(measured.loads, reference.loads, 'cpu')),
    figure(`${name}: rate`, 'requests/s', pairs(measured.loads, reference.loads, 'rate')),
    figure(`${name}: CPU a request at ${pace}`, 'µs', pairs(measured.paced, reference.paced, 'cpu')),
    figure(`${name}: p50 at ${pace}`, 'ms', pairs(measured.paced, reference.paced, 'p50')),
    figure(`${name}: p99 at ${pace}`, 'ms', pairs(measured.paced, reference.paced, 'p99')),
    figure(`${name}: p99.9 at ${pace}`, 'ms', pairs(measured.paced, reference.paced, 'p999')),
  ];
}

function pairs<Key extends string>(
  measured: readonly Readonly<Record<Key, number>>[],
  reference: readonly Readonly<Record<Key, number>>[],
  key: Key,
): Round[] {
  return measured.flatMap((each, index) => {
    const other = reference[index];
    return other === undefined ? [] : [{ value: each[key], reference: other[key] }];
  });
}

function figure(name: string, unit: string, rounds_: readonly Round[]): Figure {
  return { suite: 'https', name, unit, reference: 'bare node:https that parses', rounds: rounds_ };
}
