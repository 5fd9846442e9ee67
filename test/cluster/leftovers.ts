/** What a run has left on this machine: the question behind "no process and no folder stays behind". */
import { existsSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import { runningProcesses } from './command-lines.ts';

/** Command lines of the running processes that mention the text. A zombie has none, and has ended whatever `kill -0` says of it. */
function processesNaming(mention: string): string[] {
  return runningProcesses()
    .map(({ words }) => words.join(' '))
    .filter((line) => line.includes(mention));
}

/** Processes that name the folder and still run after some seconds of grace. */
export async function runningStill(folder: string): Promise<string[]> {
  return settled(() => processesNaming(folder));
}

/** The folder itself, and the processes that name it, that are still there after some seconds of grace. */
export async function leftovers(folder: string): Promise<string[]> {
  return settled(() => [...processesNaming(folder), ...(existsSync(folder) ? [folder] : [])]);
}

async function settled(find: () => string[]): Promise<string[]> {
  for (let tries = 0; tries < 100 && find().length > 0; tries++) await sleep(100);
  return find();
}
