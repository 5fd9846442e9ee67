/** A program of the test cluster as a process: killed, stopped and started again while others are connected to it. */
import { readdirSync, readFileSync } from 'node:fs';
import { basename, join } from 'node:path';

import type { ControlPlane } from '../cluster/control-plane.ts';
import { supervise, waitUntil, type Supervised } from '../cluster/process.ts';
import { eventually } from './eventually.ts';

export interface RunningProgram {
  readonly process: number;
  readonly command: string;
  readonly args: readonly string[];
}

/** Linux only, as the test cluster is. @throws when it does not run */
export function runningProgram(plane: ControlPlane, name: 'etcd' | 'kube-apiserver'): RunningProgram {
  for (const entry of readdirSync('/proc').filter((each) => /^\d+$/.test(each))) {
    const [command = '', ...args] = commandLine(entry);
    if (basename(command) === name && args.some((arg) => arg.includes(plane.folder) || arg.includes(new URL(plane.url).hostname))) {
      return { process: Number(entry), command, args: args.slice(0, -1) };
    }
  }
  throw new Error(`no ${name} of the test cluster runs`);
}

export async function kill({ process: id }: RunningProgram): Promise<void> {
  process.kill(id, 'SIGKILL');
  await eventually(`process ${id} has ended`, () => commandLine(String(id)).length <= 1);
}

/** Starts it as it was; ends with the test process at the latest. */
export function startAgain(plane: ControlPlane, { command, args }: RunningProgram): Supervised {
  return supervise({ command, args, logFile: join(plane.folder, 'log', `${basename(command)}-again.log`), cwd: plane.folder });
}

export const waitUntilReady = (plane: ControlPlane, server: Supervised): Promise<void> =>
  waitUntil(server, '/readyz', async () => (await plane.api.send('GET', '/readyz')).status === 200);

/** Empty for a process that has ended, also while its parent has not noticed. */
function commandLine(id: string): string[] {
  try {
    return readFileSync(`/proc/${id}/cmdline`, 'utf8').split('\0');
  } catch {
    return [];
  }
}
