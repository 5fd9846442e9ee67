/** One `transship serve` of a soak: started, scraped, measured, and ended as Kubernetes ends a pod. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readdir } from 'node:fs/promises';
import { Agent } from 'node:https';
import type { Readable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { residentMemory } from '../process-cost.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
/** Seconds; the chart gives 10. */
const drainSeconds = 2;

export interface ServedFiles {
  readonly policy: string;
  readonly cert: string;
  readonly key: string;
  /** PEM of who signs the certificates. */
  readonly authority: string;
}

export interface Sample {
  /** Bytes; null where the kernel does not tell. */
  readonly memory: number | null;
  /** Open file descriptors, connections among them. */
  readonly handles: number | null;
  /** Seconds by which the event loop was late when the sample was taken. */
  readonly lag: number;
}

/** The same of the process that makes the load: how late a loop is on this machine at this moment. */
export interface ComparedSample extends Sample {
  readonly ownLag: number;
}

export interface Backend {
  readonly port: number;
  readonly agent: Agent;
  /** Messages of level error, those about policies that the soak itself broke left out. */
  readonly errors: string[];
  readonly metrics: () => Promise<ReadonlyMap<string, number>>;
  readonly sample: () => Promise<Sample>;
  /** SIGTERM; resolves with the exit code when it has drained and ended. */
  readonly stop: () => Promise<number | null>;
}

export async function startBackend(files: ServedFiles): Promise<Backend> {
  const paths = ['--policy', files.policy, '--tls-cert', files.cert, '--tls-key', files.key];
  const settings = ['--port', '0', '--metrics-port', '0', '--host', '127.0.0.1', '--drain-seconds', String(drainSeconds)];
  const child = spawn(process.execPath, [main, 'serve', ...paths, ...settings], { stdio: ['ignore', 'ignore', 'pipe'] });
  const kill = (): boolean => child.kill('SIGKILL');
  process.once('exit', kill);
  const ended = once(child, 'exit').finally(() => process.removeListener('exit', kill));
  const errors: string[] = [];
  const listening = Promise.withResolvers<{ port: number; metricsPort: number }>();
  eachLine(child.stderr, (line) => {
    if (!line.startsWith('{')) return void errors.push(line);
    const logged = JSON.parse(line);
    if (logged.msg === 'listening') listening.resolve(logged);
    if (logged.level === 'error' && !/changed policy is refused|policy\.yaml:\d+:\d+: error/.test(logged.msg)) errors.push(logged.msg);
  });
  void ended.then(() => listening.reject(new Error(`serve ended: ${errors.join('\n')}`)));
  const { port, metricsPort } = await listening.promise;
  const agent = new Agent({ keepAlive: true, ca: files.authority, servername: 'localhost' });
  const metrics = async (): Promise<ReadonlyMap<string, number>> => await scrape(metricsPort);
  return {
    port,
    agent,
    errors,
    metrics,
    sample: async () => ({
      memory: await residentMemory(child.pid ?? 0),
      handles: await openHandles(child.pid ?? 0),
      lag: (await metrics()).get('nodejs_eventloop_lag_seconds') ?? Number.NaN,
    }),
    stop: async () => {
      child.kill('SIGTERM');
      const [code] = (await ended) as [number | null];
      agent.destroy();
      return code;
    },
  };
}

/** Not by node:readline, for which U+2028 ends a line as well: in JSON it does not, and the broken reviews have images with it. */
function eachLine(stream: Readable, told: (line: string) => void): void {
  let rest = '';
  stream.setEncoding('utf8').on('data', (chunk: string) => {
    const lines = (rest + chunk).split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) told(line);
  });
}

async function scrape(port: number): Promise<ReadonlyMap<string, number>> {
  const text = await (await fetch(`http://127.0.0.1:${port}/metrics`, { headers: { connection: 'close' } })).text();
  const samples = text.split('\n').filter((line) => line !== '' && !line.startsWith('#'));
  return new Map(samples.map((line) => [line.slice(0, line.lastIndexOf(' ')), Number(line.slice(line.lastIndexOf(' ') + 1))] as const));
}

async function openHandles(pid: number): Promise<number | null> {
  try {
    return (await readdir(`/proc/${pid}/fd`)).length;
  } catch {
    return null;
  }
}
