/** One kind of review, sent to all servers in turn: first all they can take, for its cost, then at one rate for all, for its latency. */
import { quantile } from '../figure.ts';
import { messageOf, openConnections, type Connections, type Message } from '../load.ts';
import { cpuTime } from '../process-cost.ts';
import type { Program } from '../program.ts';
import type { Difference, ReviewWish } from '../reviews.ts';
import { inTurn } from '../subject.ts';

export interface Case {
  readonly name: string;
  readonly review: ReviewWish;
  readonly connections: number;
  /** Replicas where nothing is said, as most pods that come in numbers are. */
  readonly difference?: Difference;
  /** Of each round. */
  readonly requests: number;
  /** Requests a second at which latency is measured; half of what the reference can take where nothing is said. */
  readonly rate?: number | undefined;
}

export interface Contender {
  readonly program: Program;
  /** Whether its latency is measured as well. */
  readonly isPaced: boolean;
}

interface Load {
  /** CPU microseconds a request. */
  readonly cpu: number;
  /** Requests a second, when it is sent as many as it can take. */
  readonly rate: number;
}

/** Milliseconds, and CPU microseconds a request, at a rate that is the same for all. */
interface Paced {
  readonly p50: number;
  readonly p99: number;
  readonly p999: number;
  readonly cpu: number;
}

/** Of one contender; the same number of each for all that are paced. */
export interface Measured {
  readonly loads: Load[];
  readonly paced: Paced[];
}

const rounds = 3;
/** Parts of a round in which latency is measured: a pause of the machine spoils one of them and not the round. */
const windows = 4;

interface Running extends Contender {
  readonly connections: Connections;
  readonly measured: Measured;
}

/** @param contenders the first one is the reference @param measured of each contender, to be added to */
export async function runCase(
  contenders: readonly Contender[],
  authority: string,
  wanted: Case,
  measured: readonly Measured[],
): Promise<void> {
  const { connections: count, requests } = wanted;
  const message = messageOf(wanted.review, wanted.difference ?? 'replicas');
  const all = await Promise.all(
    contenders.map(async (contender, index): Promise<Running> => ({
      ...contender,
      connections: await openConnections(contender.program.port, authority, count),
      measured: measured[index] ?? { loads: [], paced: [] },
    })),
  );
  try {
    // The first round warms up, and tells what the reference can do.
    const first: Load[] = [];
    for (const { program, connections } of all) first.push(await load(program, connections, message, requests));
    const pace = wanted.rate ?? (first[0]?.rate ?? Number.NaN) / 2;
    for (let round = 0; round < rounds; round += 1) {
      for (const {
        program,
        connections,
        measured: { loads },
      } of inTurn(all, round))
        loads.push(await load(program, connections, message, requests));
      for (let window = 0; window < windows; window += 1) {
        for (const {
          isPaced,
          program,
          connections,
          measured: { paced },
        } of inTurn(all, window))
          if (isPaced) paced.push(await atPace(program, connections, message, { requests: Math.ceil(requests / 8), pace }));
      }
    }
  } finally {
    for (const { connections } of all) connections.close();
  }
}

async function load(program: Program, connections: Connections, message: Message, requests: number): Promise<Load> {
  const before = await cpuTime(program.pid);
  const { seconds } = await connections.send(message, requests);
  return { cpu: await cpuSince(before, program, requests), rate: requests / seconds };
}

async function atPace(
  program: Program,
  connections: Connections,
  message: Message,
  { requests, pace }: { readonly requests: number; readonly pace: number },
): Promise<Paced> {
  const before = await cpuTime(program.pid);
  const { latencies } = await connections.pace(message, requests, pace);
  const sorted = latencies.toSorted((a, b) => a - b);
  return {
    p50: quantile(sorted, 0.5),
    p99: quantile(sorted, 0.99),
    p999: quantile(sorted, 0.999),
    cpu: await cpuSince(before, program, requests),
  };
}

/** Microseconds a request. */
async function cpuSince(before: number | null, { pid }: Program, requests: number): Promise<number> {
  const after = await cpuTime(pid);
  return before === null || after === null ? Number.NaN : (after - before) / requests / 1000;
}
