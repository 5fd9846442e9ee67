/** `transship serve` as a process of its own, as a cluster runs it. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import type { Test } from 'tap';
import type { Target } from '../server/call.ts';
import { samplePolicy, type LogLine } from '../server/running.ts';
import { until } from '../server/until.ts';
import { authority, servingPair } from '../tls/pairs.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const withParent = fileURLToPath(new URL('with-parent.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
}

export interface Child {
  readonly process: ChildProcess;
  /** Lines of stderr that are JSON, so far. */
  readonly log: LogLine[];
  /** All of both streams, so far. */
  readonly stdout: () => string;
  readonly stderr: () => string;
  /** Resolves when the process has ended and all it wrote is read. */
  readonly ended: Promise<Ended>;
}

export interface Spawned {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** A module that is loaded before the program. */
  readonly preload?: string;
  /** Words in front of the command, which run it in another way. */
  readonly prefix?: readonly string[];
  /** The file of the program, that of the sources unless told, and flags of Node. */
  readonly program?: string;
  readonly nodeFlags?: readonly string[];
}

/** Runs the command line; killed when the test ends. */
export function transship(
  t: Pick<Test, 'teardown'>,
  { args, env = {}, preload, prefix = [], program = main, nodeFlags = [] }: Spawned,
): Child {
  const preloads = [withParent, ...(preload === undefined ? [] : [preload])].flatMap((module) => ['--import', module]);
  const [command = '', ...words] = [...prefix, process.execPath, ...nodeFlags, ...preloads, program, ...args];
  const process_ = spawn(command, words, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  const log: LogLine[] = [];
  const text = { stdout: '', stderr: '' };
  process_.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text.stdout += chunk;
  });
  createInterface({ input: process_.stderr }).on('line', (line) => {
    text.stderr += `${line}\n`;
    if (line.startsWith('{')) log.push(JSON.parse(line));
  });
  const ended: Promise<Ended> = once(process_, 'close').then(([code, signal]) => ({ code, signal }));
  t.teardown(async () => {
    process_.kill('SIGKILL');
    await ended;
  });
  return { process: process_, log, stdout: () => text.stdout, stderr: () => text.stderr, ended };
}

export interface Serving extends Child, Target {
  readonly metricsPort: number;
}

/** `serve` with a certificate of the tests' authority and the sample policy unless told. */
export async function starting(t: Pick<Test, 'teardown'>, spawned: Partial<Spawned> = {}): Promise<Child> {
  const pair = await servingPair();
  const folder = await mkdtemp(join(tmpdir(), 'transship-serve-'));
  t.teardown(async () => await rm(folder, { recursive: true }));
  await writeFile(`${folder}/tls.crt`, pair.cert);
  await writeFile(`${folder}/tls.key`, pair.key);
  const given = new Set(spawned.args);
  const defaults = {
    '--policy': samplePolicy,
    '--tls-cert': `${folder}/tls.crt`,
    '--tls-key': `${folder}/tls.key`,
    '--port': '0',
    '--metrics-port': '0',
  };
  const args = Object.entries(defaults).flatMap(([flag, value]) => (given.has(flag) ? [] : [flag, value]));
  return transship(t, { ...spawned, args: ['serve', ...args, ...(spawned.args ?? [])] });
}

/** The same, once it listens. */
export async function serving(t: Pick<Test, 'teardown'>, spawned: Partial<Spawned> = {}): Promise<Serving> {
  const child = await starting(t, spawned);
  const line = await until(
    'it listens',
    () => child.log.find(({ msg }) => msg === 'listening') ?? (child.process.exitCode === null ? null : failed(child)),
  );
  return { ...child, port: Number(line['port']), metricsPort: Number(line['metricsPort']), ca: authority.cert };
}

function failed(child: Child): never {
  throw new Error(`serve ended: ${child.stderr()}`);
}

/** One sample of the process' own metrics. */
export async function sampleOf({ metricsPort }: Pick<Serving, 'metricsPort'>, name: string): Promise<number> {
  const response = await fetch(`http://127.0.0.1:${metricsPort}/metrics`, { headers: { connection: 'close' } });
  const line = (await response.text()).split('\n').find((text) => text.startsWith(`${name} `)) ?? '';
  return Number(line.slice(name.length + 1));
}
