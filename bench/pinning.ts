/** The load on one core and the servers on another, where `taskset` and two cores are there: else they would take turns. */
import { spawnSync } from 'node:child_process';
import { availableParallelism } from 'node:os';

const cores = availableParallelism();
const canPin = cores >= 2 && spawnSync('taskset', ['-V']).status === 0;

/** Keeps this process on the first core. @returns whether pinning works here */
export function pinLoad(): boolean {
  return canPin && spawnSync('taskset', ['-a', '-c', '-p', '0', String(process.pid)]).status === 0;
}

/** Lets this process, and what it starts from now on, use every core again. */
export function unpinLoad(): void {
  if (canPin) spawnSync('taskset', ['-a', '-c', '-p', `0-${cores - 1}`, String(process.pid)]);
}

/** The command that runs a server on the second core. */
export function pinned(command: readonly string[]): readonly string[] {
  return canPin ? ['taskset', '-c', '1', ...command] : command;
}
