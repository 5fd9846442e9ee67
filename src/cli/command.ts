/** What a command of the command line is. */
import type { Readable, Writable } from 'node:stream';

/** The world, as a command sees it. Data goes to stdout, messages to stderr. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Writable;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The whole text of `transship NAME --help`. */
  readonly help: string;
  /** @returns the exit code: 0 done, 1 findings, 2 wrong use or unreadable input */
  readonly run: (args: readonly string[], io: Io) => Promise<number>;
}
