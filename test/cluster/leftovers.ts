/** What a run has left on this machine: the question behind "no process and no folder stays behind". */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

/** Command lines of the running processes that mention the text. Linux only. A zombie has none, and has ended whatever `kill -0` says of it. */
function processesNaming(mention: string): string[] {
  const numbers = readdirSync('/proc').filter((entry) => /^\d+$/.test(entry));
  return numbers.map(commandLine).filter((line) => line.includes(mention));
}

function commandLine(pid: string): string {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    // It ended between the listing and the reading.
    return '';
  }
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
