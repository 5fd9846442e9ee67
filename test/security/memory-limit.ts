/** A control group that limits the memory of one process, as a container has it. Both versions of cgroups; root only. */
import { existsSync, mkdirSync, readFileSync, rmdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

export interface MemoryLimit {
  /** Put in front of a command, as its arguments: runs it in the group. */
  readonly prefix: readonly [string, ...string[]];
  /** Bytes: the most so far, without what is only cached of files where the kernel tells. */
  readonly peak: () => number;
  /** After the process has ended. Resolves when the kernel has let go of it. */
  readonly remove: () => Promise<void>;
}

const versions = [
  { root: '/sys/fs/cgroup/memory', limit: 'memory.limit_in_bytes', peak: 'memory.max_usage_in_bytes', swap: 'memory.memsw.limit_in_bytes' },
  { root: '/sys/fs/cgroup', limit: 'memory.max', peak: 'memory.peak', swap: 'memory.swap.max' },
];

/** Null where there are no groups, or not for this user. */
export function limitMemory(bytes: number): MemoryLimit | null {
  for (const { root, limit, peak, swap } of versions) {
    const folder = join(root, `transship-test-${process.pid}-${Math.random().toString(36).slice(2, 8)}`);
    try {
      mkdirSync(folder);
    } catch {
      continue;
    }
    if (!existsSync(join(folder, limit))) {
      rmdirSync(folder);
      continue;
    }
    writeFileSync(join(folder, limit), String(bytes));
    if (existsSync(join(folder, swap))) writeFileSync(join(folder, swap), swap === 'memory.swap.max' ? '0' : String(bytes));
    return {
      prefix: ['sh', '-c', `echo $$ > ${join(folder, 'cgroup.procs')} && exec "$@"`, 'sh'],
      peak: () => Number(readFileSync(join(folder, peak), 'utf8')),
      remove: () => removeGroup(folder),
    };
  }
  return null;
}

/** A process that has ended is in its group for a moment longer. */
async function removeGroup(folder: string): Promise<void> {
  for (let tries = 0; ; tries += 1) {
    try {
      return rmdirSync(folder);
    } catch (error) {
      if (tries === 100) throw error;
      await sleep(50);
    }
  }
}
