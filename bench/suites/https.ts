/** The server as the API server meets it: CPU a request, requests a second and latency, against a bare HTTPS server that parses. */
import { writeFile } from 'node:fs/promises';
import type { Figure, Round } from '../figure.ts';
import { quantile } from '../figure.ts';
import { makeCertificate } from '../certificate.ts';
import { openConnections, type Connections, type Message } from '../load.ts';
import { policyOf } from '../policies.ts';
import { cpuTime } from '../process-cost.ts';
import { startReference, startServe, type Program } from '../program.ts';
import { changingPlaces, reviewOf, type Difference, type ReviewWish } from '../reviews.ts';
import { inTurn, type Built, type Settings } from '../subject.ts';

interface Case {
  readonly name: string;
  readonly review: ReviewWish;
  readonly connections: number;
  /** Replicas where nothing is said, as most pods that come in numbers are. */
  readonly difference?: Difference;
  /** Of each round. */
  readonly requests: number;
}

const cases: readonly Case[] = [
  { name: '8 KB, 4 connections', review: { size: 8_800 }, connections: 4, requests: 4_000 },
  { name: '8 KB, 32 connections', review: { size: 8_800 }, connections: 32, requests: 4_000 },
  { name: '8 KB, no rule matches', review: { size: 8_800, images: 'foreign' }, connections: 32, requests: 4_000 },
  { name: '8 KB, tag and digest', review: { size: 8_800, images: 'digest' }, connections: 32, requests: 4_000 },
  { name: '8 KB, other names', review: { size: 8_800 }, connections: 32, difference: 'names', requests: 4_000 },
  { name: '8 KB, other images', review: { size: 8_800 }, connections: 32, difference: 'images', requests: 4_000 },
  { name: '60 KB, 4 connections', review: { size: 60_000 }, connections: 4, requests: 1_200 },
  { name: '60 KB, 32 connections', review: { size: 60_000 }, connections: 32, requests: 1_200 },
  { name: '60 KB, other names', review: { size: 60_000 }, connections: 32, difference: 'names', requests: 1_200 },
  { name: '60 KB, other images', review: { size: 60_000 }, connections: 32, difference: 'images', requests: 1_200 },
  { name: '400 KB, 4 connections', review: { size: 400_000 }, connections: 4, requests: 200 },
  { name: '400 KB, 32 connections', review: { size: 400_000 }, connections: 32, requests: 200 },
];

const rounds = 9;
const quickRounds = 3;

interface Measured {
  /** Microseconds a request. */
  readonly cpu: number;
  /** Requests a second, when it is sent as many as it can take. */
  readonly rate: number;
  /** Milliseconds, at half of the reference's rate. */
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
}

export async function httpsSuite(subjects: readonly Built[], folder: string, { quick, reference: file }: Settings): Promise<Figure[][]> {
  const certificate = await makeCertificate(folder);
  const policyFile = `${folder}/policy.yaml`;
  await writeFile(policyFile, JSON.stringify(policyOf({ rules: 50 })));
  const programs: Program[] = [];
  try {
    programs.push(await startReference(file, 'parse', certificate), await startReference(file, 'drop', certificate));
    for (const subject of subjects) {
      programs.push(await startServe(subject, { policyFile, certificate }));
      programs.push(await startServe({ ...subject, name: `${subject.name}, only rewritten logged` }, { policyFile, certificate, args: ['--log-reviews', 'rewritten'] }));
    }
    const figures = subjects.map((): Figure[] => []);
    for (const each of cases) {
      const measured = await runCase(programs, certificate.authority, quick ? { ...each, requests: Math.ceil(each.requests / 8) } : each, quick ? quickRounds : rounds);
      const [reference = [], dropping = [], ...ofSubjects] = measured;
      for (const [index, own] of figures.entries()) {
        const [all = [], onlyRewritten = []] = ofSubjects.slice(index * 2, index * 2 + 2);
        own.push(...compare(each.name, all, reference));
        if (each.review.images === 'foreign') own.push(figure(`${each.name}, not logged: CPU a request`, 'µs', pairs(onlyRewritten, reference, 'cpu')));
        // Not ours: how far below the reference a server could be that did nothing at all.
        if (index === 0) own.push(figure(`${each.name}: CPU of a bare server that drops the body`, 'µs', pairs(dropping, reference, 'cpu')));
      }
    }
    return figures;
  } finally {
    await Promise.all(programs.map((program) => program.stop()));
  }
}

/** The rounds of each program, in the order of the programs. */
async function runCase(programs: readonly Program[], authority: string, { review, connections: count, difference = 'replicas', requests }: Case, roundCount: number): Promise<Measured[][]> {
  const body = Buffer.from(reviewOf(review));
  const message = { body, changing: changingPlaces(body, difference) };
  const connections = await Promise.all(programs.map((program) => openConnections(program.port, authority, count)));
  const measured = programs.map((): Measured[] => []);
  let pace = Number.NaN;
  try {
    for (let round = -1; round < roundCount; round += 1) {
      for (const [index, program] of inTurn([...programs.entries()], round)) {
        const own = connections[index];
        if (own === undefined) continue;
        const result = await measure(program, own, message, requests);
        // The first round warms up, and tells what the reference can do.
        if (round >= 0) measured[index]?.push({ ...result, ...(await latencies(own, message, requests / 4, pace)) });
        else if (index === 0) pace = result.rate / 2;
      }
    }
  } finally {
    for (const own of connections) own.close();
  }
  return measured;
}

async function measure(program: Program, connections: Connections, message: Message, requests: number): Promise<Pick<Measured, 'cpu' | 'rate'>> {
  const before = await cpuTime(program.pid);
  const { seconds } = await connections.send(message, requests);
  const after = await cpuTime(program.pid);
  return { cpu: before === null || after === null ? Number.NaN : (after - before) / requests / 1000, rate: requests / seconds };
}

async function latencies(connections: Connections, message: Message, requests: number, pace: number): Promise<Omit<Measured, 'cpu' | 'rate'>> {
  const sorted = (await connections.pace(message, requests, pace)).latencies.toSorted((a, b) => a - b);
  return { p50: quantile(sorted, 0.5), p99: quantile(sorted, 0.99), p999: quantile(sorted, 0.999) };
}

function compare(name: string, measured: readonly Measured[], reference: readonly Measured[]): Figure[] {
  return [
    figure(`${name}: CPU a request`, 'µs', pairs(measured, reference, 'cpu')),
    figure(`${name}: rate`, 'requests/s', pairs(measured, reference, 'rate')),
    figure(`${name}: p50 at half the rate`, 'ms', pairs(measured, reference, 'p50')),
    figure(`${name}: p99 at half the rate`, 'ms', pairs(measured, reference, 'p99')),
    figure(`${name}: p99.9 at half the rate`, 'ms', pairs(measured, reference, 'p999')),
  ];
}

function pairs(measured: readonly Measured[], reference: readonly Measured[], key: keyof Measured): Round[] {
  return measured.flatMap((each, index) => {
    const other = reference[index];
    return other === undefined ? [] : [{ value: each[key], reference: other[key] }];
  });
}

function figure(name: string, unit: string, rounds_: readonly Round[]): Figure {
  return { suite: 'https', name, unit, reference: 'bare node:https that parses', rounds: rounds_ };
}
