/** `npm run bench -- --peers FOLDER`: transship beside its neighbours, in rounds in turn. See docs/reference/benchmark.md. */
import { mkdir } from 'node:fs/promises';
import { cpus } from 'node:os';
import { join } from 'node:path';
import { skipReason } from '../../test/cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../test/cluster/control-plane.ts';
import { makeCertificate, type Certificate } from '../certificate.ts';
import { median } from '../figure.ts';
import { processOf } from '../process-cost.ts';
import { reviewOf } from '../reviews.ts';
import { inTurn, type Built } from '../subject.ts';
import { isRewritten } from './answer.ts';
import { cases } from './cases.ts';
import { neighbours, transship, type Contender } from './contender.ts';
import { peers } from './known.ts';
import type { Measured, PeersResult, Spread, Subject } from './result.ts';
import { measurePods, measureRegistered, measureReviews, type Effort, type Pods, type Round } from './rounds.ts';
import { startServer } from './server.ts';

const full: Effort & { readonly rounds: number } = { rounds: 5, caseSeconds: 1, warmSeconds: 3, pods: 240 };
const short: typeof full = { rounds: 1, caseSeconds: 0.2, warmSeconds: 0.2, pods: 40 };

interface Running {
  readonly plane: ControlPlane;
  /** Process. */
  readonly apiServer: number;
  readonly certificate: Certificate;
  readonly folder: string;
  readonly effort: Effort;
}

/** @returns the result, or why there is none */
export async function measurePeers(
  built: Built,
  { executables, folder, quick }: { readonly executables: string; readonly folder: string; readonly quick: boolean },
): Promise<PeersResult | string> {
  const without = skipReason({ level: 1, helm: false });
  if (without !== false) return without;
  const effort = quick ? short : full;
  const { found, missing } = await neighbours(executables);
  const contenders = [await transship(built), ...found];
  const own = join(folder, 'certificate');
  await mkdir(own);
  const certificate = await makeCertificate(own);
  const plane = await startControlPlane(undefined, { level: 1 });
  try {
    const apiServer = await processOf(['kube-apiserver', plane.folder]);
    for (const { path, body } of peers.flatMap(({ objects = [] }) => objects)) await createObject(plane, path, body);
    await plane.createNamespace('without', {});
    const running = { plane, apiServer, certificate, folder, effort };
    const rounds = contenders.map((): (Round | string)[] => []);
    const bare: Pods[] = [];
    for (let round = 0; round < effort.rounds; round += 1) {
      bare.push(await measurePods(plane, apiServer, { namespace: 'without', server: null, pods: effort.pods }));
      for (const [index, contender] of inTurn([...contenders.entries()], round)) {
        const before = rounds[index]?.at(-1);
        process.stderr.write(`round ${round + 1}: ${contender.peer.name}\n`);
        rounds[index]?.push(typeof before === 'string' ? before : await oneRound(running, contender, { round, before }));
      }
    }
    return {
      date: new Date().toISOString().slice(0, 10),
      machine: machine(),
      node: process.version,
      rounds: effort.rounds,
      command: 'npm run bench -- --peers FOLDER --json bench/peers/result.json',
      subjects: [
        ...contenders.map((contender, index) => subjectOf(contender, rounds[index] ?? [])),
        ...missing.map(({ peer, reason }) => subjectOf({ peer, version: '', program: null }, [reason])),
      ],
      without: { apiServer: spread(bare.map((pods) => pods.apiServer)), rate: spread(bare.map(({ rate }) => rate)) },
    };
  } finally {
    await plane.stop();
  }
}

/** @returns its figures, or why it could not be measured */
async function oneRound(
  { plane, apiServer, certificate, folder, effort }: Running,
  { peer, prepare }: Contender,
  { round, before }: { readonly round: number; readonly before: Round | undefined },
): Promise<Round | string> {
  const review = reviewOf({ size: 3_500 });
  const namespace = `${peer.name}-${round}`;
  try {
    const webhook = await prepare(join(folder, namespace), { certificate, kubeconfig: plane.kubeconfig });
    const server = await startServer(webhook, review, (answer) => isRewritten(review, answer));
    try {
      const idle = (await server.memory()).resident;
      const reviews = await measureReviews(server, webhook, effort);
      const url = `https://127.0.0.1:${webhook.port}${webhook.path}`;
      const registration = { namespace, url, authority: certificate.authority, versions: peer.versions };
      const pod =
        typeof before?.pod === 'string'
          ? before.pod
          : await measureRegistered(plane, apiServer, { registration, server, pods: effort.pods });
      return { start: server.startTime, idle, ...reviews, pod };
    } finally {
      await server.stop();
    }
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

/** Resolves when objects of that kind can be made: those of a definition not at once. */
async function createObject(plane: ControlPlane, path: string, body: unknown): Promise<void> {
  for (let attempt = 0; ; attempt += 1) {
    const { status, body: answered } = await plane.api.send('POST', path, body);
    if (status === 201) return;
    if (status !== 404 || attempt > 200) throw new Error(`${path}: ${status} ${JSON.stringify(answered)}`);
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}

function subjectOf({ peer, version, program }: Omit<Contender, 'prepare'>, rounds: readonly (Round | string)[]): Subject {
  const { name, repository, differences } = peer;
  return { name, repository, version, program, differences, measured: measuredOf(rounds) };
}

export function measuredOf(rounds: readonly (Round | string)[]): Measured | string {
  const failure = rounds.find((round) => typeof round === 'string');
  if (failure !== undefined) return failure;
  const good = rounds.filter((round) => typeof round !== 'string');
  const refused = good.map(({ pod }) => pod).find((pod) => typeof pod === 'string');
  const pods = good.flatMap(({ pod }) => (typeof pod === 'string' ? [] : [pod]));
  return {
    start: spread(good.map(({ start }) => start)),
    idle: spread(good.map(({ idle }) => idle)),
    peak: spread(good.map(({ peak }) => peak)),
    review: Object.fromEntries(cases.map(({ name }) => [name, spread(good.map(({ review }) => review[name] ?? Number.NaN))])),
    pod: refused ?? {
      webhook: spread(pods.map(({ webhook }) => webhook)),
      apiServer: spread(pods.map(({ apiServer }) => apiServer)),
      rate: spread(pods.map(({ rate }) => rate)),
    },
  };
}

function spread(values: readonly number[]): Spread {
  const [middle, least, most] = [median(values), Math.min(...values), Math.max(...values)].map((value) => Number(value.toPrecision(4)));
  return [middle ?? Number.NaN, least ?? Number.NaN, most ?? Number.NaN];
}

function machine(): string {
  const [cpu] = cpus();
  return `${cpus().length} × ${cpu?.model ?? 'unknown'}`;
}
