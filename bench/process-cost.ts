/** What a process has cost so far, as the kernel counts it. Linux only; null elsewhere. */
import { readdir, readFile } from 'node:fs/promises';

/** CPU time of all threads, in nanoseconds. Threads that have ended are not in it; a server's live as long as the server. */
export async function cpuTime(pid: number): Promise<number | null> {
  try {
    const threads = await readdir(`/proc/${pid}/task`);
    const times = await Promise.all(
      threads.map(async (thread) => Number((await readFile(`/proc/${pid}/task/${thread}/schedstat`, 'utf8')).split(' ', 1)[0])),
    );
    return times.reduce((sum, time) => sum + time, 0);
  } catch {
    return null;
  }
}

/** Resident memory in bytes. */
export async function residentMemory(pid: number): Promise<number | null> {
  try {
    const line = /^VmRSS:\s+(\d+) kB$/m.exec(await readFile(`/proc/${pid}/status`, 'utf8'));
    return line === null ? null : Number(line[1]) * 1024;
  } catch {
    return null;
  }
}

/** The process whose command line has all of the words. */
export async function processOf(words: readonly string[]): Promise<number> {
  for (const entry of await readdir('/proc')) {
    if (!/^\d+$/.test(entry)) continue;
    const command = await readFile(`/proc/${entry}/cmdline`, 'utf8').catch(() => '');
    const [program = ''] = command.split('\0', 1);
    // The supervisor has the same words behind its own name.
    if (program.endsWith(words[0] ?? '') && words.every((word) => command.includes(word))) return Number(entry);
  }
  throw new Error(`no process has ${words.join(' and ')} on its command line`);
}
