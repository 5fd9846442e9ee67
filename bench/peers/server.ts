/** A webhook as a process, with those that it forks: started, waited for until it answers a review rightly, and ended. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFile } from 'node:fs/promises';
import { request } from 'node:https';
import { text } from 'node:stream/consumers';
import { setTimeout as sleep } from 'node:timers/promises';
import { pinned } from '../pinning.ts';
import { cpuTime } from '../process-cost.ts';

export interface Webhook {
  readonly command: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly port: number;
  readonly path: string;
  /** PEM that its certificate is signed by. */
  readonly authority: string;
}

export interface Server {
  /** Milliseconds from exec to its first right answer. */
  readonly startTime: number;
  /** Of all its processes, in nanoseconds. */
  readonly cpu: () => Promise<number>;
  /** Bytes of all its processes, now and at most since they began. */
  readonly memory: () => Promise<{ readonly resident: number; readonly peak: number }>;
  readonly stop: () => Promise<void>;
}

const patience = 60_000;
/** Between two attempts, in milliseconds. */
const pause = 10;
/** Characters. */
const [keptLog, keptReason] = [4_000, 300];

/**
 * @param isRight whether an answer does the task
 * @throws with the last answer or error, and the end of its log, when it ends or gives no right answer within a minute
 */
export async function startServer(webhook: Webhook, review: string, isRight: (answer: unknown) => boolean): Promise<Server> {
  const { command, env } = webhook;
  const [program = '', ...args] = pinned(command);
  const began = performance.now();
  // Its log goes through a pipe, as under a container runtime. A group of its own, since it may fork.
  const child = spawn(program, args, { detached: true, stdio: ['ignore', 'pipe', 'pipe'], env: { ...process.env, ...env } });
  let log = '';
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk: Buffer) => {
      log = (log + chunk.toString()).slice(-keptLog);
    });
  const { pid } = child;
  if (pid === undefined) throw new Error(`${program} cannot be started`);
  const kill = (): void => {
    try {
      process.kill(-pid, 'SIGKILL');
    } catch {
      // It has ended.
    }
  };
  process.once('exit', kill);
  const ended = once(child, 'exit');
  const stop = async (): Promise<void> => {
    process.removeListener('exit', kill);
    kill();
    await ended;
  };
  let last: unknown = 'no answer';
  while (performance.now() - began < patience && child.exitCode === null) {
    try {
      last = await ask(webhook, review);
      if (isRight(last)) {
        const startTime = performance.now() - began;
        return { startTime, cpu: () => cpuOf(pid), memory: () => memoryOf(pid), stop };
      }
    } catch (error) {
      last = error;
    }
    await sleep(pause);
  }
  await stop();
  throw new Error(`${last instanceof Error ? last.message : JSON.stringify(last)}; its log ends: ${log.trim().slice(-keptReason)}`);
}

async function ask({ port, path, authority }: Webhook, review: string): Promise<unknown> {
  const headers = { 'content-type': 'application/json', 'content-length': Buffer.byteLength(review) };
  const sent = request({ host: '127.0.0.1', port, path, method: 'POST', ca: authority, servername: 'localhost', agent: false, headers });
  sent.end(review);
  const [response] = await once(sent, 'response');
  return JSON.parse(await text(response));
}

async function processesOf(pid: number): Promise<number[]> {
  const children = await readFile(`/proc/${pid}/task/${pid}/children`, 'utf8').catch(() => '');
  const below = await Promise.all(children.split(' ').filter(Boolean).map(Number).map(processesOf));
  return [pid, ...below.flat()];
}

async function cpuOf(pid: number): Promise<number> {
  const times = await Promise.all((await processesOf(pid)).map(cpuTime));
  return times.reduce<number>((sum, time) => sum + (time ?? Number.NaN), 0);
}

async function memoryOf(pid: number): Promise<{ resident: number; peak: number }> {
  const sums = { resident: 0, peak: 0 };
  for (const each of await processesOf(pid)) {
    const status = await readFile(`/proc/${each}/status`, 'utf8');
    sums.resident += kibibytes(status, 'VmRSS');
    sums.peak += kibibytes(status, 'VmHWM');
  }
  return sums;
}

function kibibytes(status: string, field: string): number {
  return Number(new RegExp(`^${field}:\\s+(\\d+) kB$`, 'm').exec(status)?.[1] ?? Number.NaN) * 1024;
}
