/**
 * Whoever reaches the port against a server with the memory of its container: it lives, answers everybody else, and gives the memory back.
 * `TRANSSHIP_HOSTILE_SECONDS=180` lets all attacks go on at once for that long.
 */
import { execFile, spawn } from 'node:child_process';
import { once } from 'node:events';
import { Agent } from 'node:https';
import { cpSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test, type Test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { sampleOf, serving, type Serving } from '../cli/child.ts';
import { call } from '../server/call.ts';
import { until } from '../server/until.ts';
import { attacks } from './attacks.ts';
import { limitMemory } from './memory-limit.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const attacker = fileURLToPath(new URL('attacker.ts', import.meta.url));
const mebibyte = 1024 * 1024;
/** The chart's `resources.limits.memory`. */
const memory = 384 * mebibyte;
/** Milliseconds of each attack alone, and seconds of all at once. */
const alone = 400;
const together = Number(process.env['TRANSSHIP_HOSTILE_SECONDS'] ?? 6);

interface Victims {
  /** Milliseconds of each. */
  readonly latencies: number[];
  /** What became of those that were not rewritten. */
  readonly lost: string[];
}

/** Starts attacks in a process of their own; they end with the test at the latest. */
async function attack(t: Test, { port }: Serving, names: readonly string[]): Promise<() => Promise<void>> {
  const child = spawn(process.execPath, [attacker, '127.0.0.1', String(port), '127.0.0.2', ...names], {
    stdio: ['pipe', 'pipe', 'inherit'],
  });
  const ended = once(child, 'exit');
  t.teardown(() => child.kill('SIGKILL'));
  await once(child.stdout, 'data');
  return async () => {
    child.kill('SIGKILL');
    await ended;
  };
}

/** Reviews one after the other, as an API server sends them: over connections that stay, and again after a 503. */
async function victims(server: Serving, agent: Agent, during: Promise<unknown>): Promise<Victims> {
  const state = { isOver: false };
  void during.then(() => {
    state.isOver = true;
  });
  const latencies: number[] = [];
  const lost: string[] = [];
  for (let n = 0; n === 0 || !state.isOver; n += 1) {
    const body = JSON.stringify(reviewOf({ object: pod({ containers: { web: `nginx:${n}` } }) }));
    const began = performance.now();
    const outcome = await rewritten(server, body, agent);
    latencies.push(performance.now() - began);
    if (outcome !== null) lost.push(outcome);
    await sleep(20);
  }
  return { latencies, lost };
}

/** @returns null when it is */
async function rewritten(server: Serving, body: string, agent: Agent): Promise<string | null> {
  for (let tries = 0; tries < 20; tries += 1) {
    const { status, text } = await call(server, { body, agent });
    if (status === 200) return JSON.parse(text).response.patch === undefined ? 'answered without a patch' : null;
    if (status !== 503) return `${status} ${text}`;
    await sleep(250);
  }
  return 'turned away 20 times';
}

function peakOf({ process: { pid = 0 } }: Serving): number {
  return Number(/^VmHWM:\s+(\d+) kB$/m.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))?.[1]) * 1024;
}

const quantile = (values: readonly number[], part: number): number =>
  values.toSorted((a, b) => a - b)[Math.floor(values.length * part)] ?? 0;

test('hostile clients', { timeout: 300_000 + together * 1000, skip: process.platform === 'linux' ? false : 'needs /proc' }, async (t) => {
  const folder = t.testdir();
  cpSync(join(project, 'package.json'), join(folder, 'package.json'));
  // As the image has it: sources that are read as they are would need memory of their own.
  const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
  await promisify(execFile)(process.execPath, [join(project, 'tools/bundle/bundle.ts'), join(folder, 'dist/bundle')], { env });
  const limit = limitMemory(memory);
  if (limit === null) t.comment('no control groups: the resident memory is looked at instead');
  // Runs after the server has ended.
  t.teardown(() => limit?.remove());
  const server = await serving(t, {
    args: ['--log-reviews', 'problems'],
    env: { MALLOC_ARENA_MAX: '1', NODE_OPTIONS: '' },
    nodeFlags: ['--max-semi-space-size=4', '--initial-old-space-size=48'],
    program: join(folder, 'dist/bundle/main.js'),
    prefix: limit?.prefix ?? [],
  });
  const agent = new Agent({ keepAlive: true, maxSockets: 4 });
  t.teardown(() => agent.destroy());

  for (const name of Object.keys(attacks)) {
    const stop = await attack(t, server, [name]);
    const { lost } = await victims(server, agent, sleep(alone));
    await stop();
    t.same(lost, [], name);
    if (server.process.exitCode !== null || server.process.signalCode !== null) throw new Error(`${name}: the process ended`);
  }

  const stop = await attack(t, server, Object.keys(attacks));
  const { latencies, lost } = await victims(server, agent, sleep(together * 1000));
  await stop();
  t.same(lost, [], 'all at once');
  t.comment(
    `${latencies.length} victims, p50 ${Math.round(quantile(latencies, 0.5))} ms, p99 ${Math.round(quantile(latencies, 0.99))} ms; ${Math.round((limit?.peak() ?? peakOf(server)) / mebibyte)} MiB at most`,
  );
  if (process.env['TRANSSHIP_HOSTILE_SECONDS'] !== undefined) t.ok(quantile(latencies, 0.99) < 1_000, 'p99 below a second');
  if (limit === null) t.ok(peakOf(server) < 1.25 * memory);

  await until('its requests hold nothing', async () => (await sampleOf(server, 'transship_request_memory_bytes')) === 0);
  await until('its connections are closed', async () => (await sampleOf(server, 'transship_connections')) <= 4);
  t.equal(await rewritten(server, JSON.stringify(reviewOf({ object: pod({ containers: { web: 'nginx' } }) })), agent), null);
  t.notOk(
    server.log.some(({ level }) => level === 'error' || level === 'fatal'),
    'no fault of its own',
  );
});
