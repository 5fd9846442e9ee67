/** What ends a command early: wrong use and unreadable input, told in one line and exit code 2. */
import type { Writable } from 'node:stream';

/** The codes that `Failure` and the program's own messages carry. */
export type FailureCode = 'USAGE' | 'UNREADABLE' | 'INVALID';

/** Something that the person at the terminal can fix; the message names the thing and says what to do. */
export class Failure extends Error {
  readonly code: FailureCode;

  constructor(code: FailureCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? {} : { cause });
    this.name = 'Failure';
    this.code = code;
  }
}

/** What an error says, on one line. */
export function messageOf(error: unknown): string {
  const message = error instanceof Error ? error.message : String(error);
  return message.replace(/\n[^]*$/, '').replace(/\.$/, '');
}

/** Prints why the command ended; anything unforeseen is thrown on, since its stack is what a report needs. */
export function exitCodeOf(error: unknown, command: string, stderr: Writable): number {
  if (!(error instanceof Failure)) throw error;
  stderr.write(`transship ${command}: ${error.message}\n`);
  if (error.code === 'USAGE') stderr.write(`transship ${command} --help lists the options.\n`);
  return 2;
}
