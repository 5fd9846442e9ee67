/** The processes of this machine by the words of their command lines. Linux only. */
import { readdirSync, readFileSync } from 'node:fs';

export interface RunningProcess {
  readonly pid: number;
  /** None for a process that has ended, also while its parent has not noticed. */
  readonly words: readonly string[];
}

export function runningProcesses(): RunningProcess[] {
  return readdirSync('/proc').flatMap((entry) => (/^\d+$/.test(entry) ? [{ pid: Number(entry), words: commandLine(entry) }] : []));
}

function commandLine(pid: string): string[] {
  try {
    const text = readFileSync(`/proc/${pid}/cmdline`, 'utf8');
    // A process that gave itself a title has no end of the last word.
    return text === '' ? [] : text.replace(/\0$/, '').split('\0');
  } catch {
    // It ended between the listing and the reading.
    return [];
  }
}
