/** A program of a test cluster as a process: killed and started again while others are connected to it. */
import { existsSync } from 'node:fs';
import { basename } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { runningProcesses } from './command-lines.ts';
import type { ControlPlane } from './control-plane.ts';
import { waitUntil, type Supervised } from './process.ts';
import type { Program } from './tools.ts';

export interface RunningProgram {
  readonly name: Program;
  readonly pid: number;
  readonly command: string;
  readonly args: readonly string[];
}

/** Found by the folder that only this cluster has. Linux only, as the test cluster is. @throws when it does not run */
export function runningProgram({ folder }: ControlPlane, name: Program): RunningProgram {
  for (const { pid, words } of runningProcesses()) {
    const [command = '', ...args] = words;
    if (basename(command) === name && args.some((arg) => arg.includes(folder))) return { name, pid, command, args };
  }
  throw new Error(`no ${name} runs with files of ${folder}`);
}

/**
 * SIGKILL. Resolves when nothing is left of the process: it has its ports until the last of its threads has ended, which is after it has lost its
 * command line.
 */
export async function kill({ pid }: RunningProgram): Promise<void> {
  process.kill(pid, 'SIGKILL');
  while (existsSync(`/proc/${pid}`)) await sleep(10);
}

let starts = 0;

/** With the flags it had; ends with the cluster. */
export function startAgain(plane: ControlPlane, { name, command, args }: RunningProgram): Supervised {
  return plane.start({ name: `${name}-again-${++starts}`, command, args });
}

/** SIGKILL, then `meanwhile`, then the same server again. Resolves when it is ready. */
export async function restartApiServer(plane: ControlPlane, meanwhile: () => Promise<void> = async () => {}): Promise<void> {
  const server = runningProgram(plane, 'kube-apiserver');
  await kill(server);
  await meanwhile();
  await waitUntilReady(plane, startAgain(plane, server));
}

export const waitUntilReady = (plane: ControlPlane, server: Supervised): Promise<void> =>
  waitUntil(server, '/readyz', async () => (await plane.api.send('GET', '/readyz')).status === 200);
