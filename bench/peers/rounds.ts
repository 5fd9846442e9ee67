/** One round of one webhook: started anew, sent reviews of each case, and asked by the API server. */
import type { ControlPlane } from '../../test/cluster/control-plane.ts';
import { openConnections, type Connections, type Message } from '../load.ts';
import { cpuTime } from '../process-cost.ts';
import { register, unregister, type Registration } from '../registration.ts';
import { podOf } from '../reviews.ts';
import { cases, messagesOf } from './cases.ts';
import type { Server } from './server.ts';

export interface Round {
  readonly start: number;
  readonly idle: number;
  readonly peak: number;
  readonly review: Readonly<Record<string, number>>;
  readonly pod: Pods | string;
}

export interface Pods {
  readonly webhook: number;
  readonly apiServer: number;
  readonly rate: number;
}

export interface Effort {
  /** Seconds that each case is sent for, and before the first one. */
  readonly caseSeconds: number;
  readonly warmSeconds: number;
  readonly pods: number;
}

/** Not more: a worker of gunicorn serves a third connection only when one of its two threads has a request of another. */
const connectionCount = 2;
/** Creates at once. */
const clients = 8;
const messages = messagesOf(cases);

export interface Asked {
  readonly port: number;
  readonly path: string;
  readonly authority: string;
}

export async function measureReviews(
  server: Server,
  { port, path, authority }: Asked,
  effort: Effort,
): Promise<Pick<Round, 'review' | 'peak'>> {
  const connections = await openConnections(port, authority, connectionCount, path);
  const review: Record<string, number> = {};
  try {
    // Both kinds: a compiler at run time has to meet what it is to compile.
    for (const message of [...messages.values()].slice(0, 2)) await sendFor(connections, message, effort.warmSeconds / 2);
    for (const [name, message] of messages) {
      await sendFor(connections, message, effort.caseSeconds / 4);
      const before = await server.cpu();
      const sent = await sendFor(connections, message, effort.caseSeconds);
      review[name] = ((await server.cpu()) - before) / sent / 1000;
    }
  } finally {
    connections.close();
  }
  return { review, peak: (await server.memory()).peak };
}

/** @returns how many it sent */
async function sendFor(connections: Connections, message: Message, seconds: number): Promise<number> {
  const until = performance.now() + seconds * 1000;
  let sent = 0;
  // In parts of about a fifth of that time.
  for (let part = 20; performance.now() < until;) {
    const { seconds: took } = await connections.send(message, part);
    sent += part;
    part = Math.max(20, Math.ceil((part / took) * (seconds / 5)));
  }
  return sent;
}

/** @param server null for no webhook */
export async function measurePods(
  plane: ControlPlane,
  apiServer: number,
  { namespace, server, pods }: { readonly namespace: string; readonly server: Server | null; readonly pods: number },
): Promise<Pods> {
  const cost = async (): Promise<readonly [number, number]> => [
    server === null ? 0 : await server.cpu(),
    (await cpuTime(apiServer)) ?? Number.NaN,
  ];
  await create(plane, namespace, pods / 4);
  const [before, began] = [await cost(), performance.now()];
  await create(plane, namespace, pods);
  const [after, ended] = [await cost(), performance.now()];
  return {
    webhook: (after[0] - before[0]) / pods / 1000,
    apiServer: (after[1] - before[1]) / pods / 1000,
    rate: pods / ((ended - began) / 1000),
  };
}

/** Dry runs: nothing is stored, so that etcd's disk is not what is measured. */
async function create(plane: ControlPlane, namespace: string, pods: number): Promise<void> {
  let left = pods;
  await Promise.all(
    Array.from({ length: clients }, async () => {
      while (left > 0) {
        left -= 1;
        const { status, body } = await plane.api.send('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podOf({}));
        if (status !== 201) throw new Error(`a pod was answered ${status}: ${reasonOf(body)}`);
      }
    }),
  );
}

/** The message of a Status. */
function reasonOf(body: unknown): string {
  return typeof body === 'object' && body !== null && 'message' in body ? String(body.message) : JSON.stringify(body);
}

/** @returns the cost, or why the API server cannot use the webhook */
export async function measureRegistered(
  plane: ControlPlane,
  apiServer: number,
  { registration, server, pods }: { readonly registration: Registration; readonly server: Server; readonly pods: number },
): Promise<Pods | string> {
  const { namespace } = registration;
  try {
    await register(plane, registration);
    return await measurePods(plane, apiServer, { namespace, server, pods });
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  } finally {
    await unregister(plane, namespace);
  }
}
