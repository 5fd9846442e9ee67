/** The interface of a command. */
import type { Readable } from 'node:stream';
import { OperatorError } from '../errors/operator-error.ts';
import type { Output } from './output.ts';
import { flagHelp } from './flag-help.ts';
import { readFlags, type Flags, type Given } from './read-flags.ts';

/** Input and output of a command. Data goes to stdout, messages to stderr. */
export interface Io {
  readonly stdin: Readable;
  readonly stdout: Output;
  readonly stderr: Output;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  readonly flags: Flags;
  /** All values of the first operand, if they are a list: for completion. */
  readonly operands?: readonly string[];
  /** The whole text of `transship NAME --help`. */
  readonly help: string;
  /** @returns the exit code: 0 success, 1 findings, 2 wrong usage or unreadable input */
  readonly run: (args: readonly string[], io: Io) => Promise<number>;
}

export interface Definition<F extends Flags> {
  readonly name: string;
  readonly summary: string;
  /** Usage and description: the help above the list of flags. */
  readonly usage: string;
  /** The help below the list of flags. */
  readonly notes?: string;
  /** From the table in flags.ts. */
  readonly flags: F;
  readonly operands?: readonly string[];
  /** The remedy when operands are given to a command that takes none. */
  readonly withoutOperands?: string;
  /** May throw: the command line prints an OperatorError in one line and exits with 2. */
  readonly run: (given: Given<F>, io: Io) => Promise<number>;
}

export function command<const F extends Flags>({
  name,
  summary,
  usage,
  notes,
  flags,
  operands,
  withoutOperands,
  run,
}: Definition<F>): Command {
  const parts = [usage, flagHelp(flags), ...(notes === undefined ? [] : [notes])];
  return {
    name,
    summary,
    flags,
    ...(operands === undefined ? {} : { operands }),
    help: `${parts
      .map((part) => part.trimEnd())
      .filter((part) => part !== '')
      .join('\n\n')}\n`,
    run: async (args, io) => {
      const given = readFlags(flags, args, io.env);
      if (withoutOperands !== undefined && given.operands[0] !== undefined)
        throw new OperatorError('USAGE', `unexpected argument ${JSON.stringify(given.operands[0])}`, withoutOperands);
      return run(given, io);
    },
  };
}

/** @throws OperatorError (USAGE) when standard input is named twice: it can be read only once */
export function stdinOnce(names: readonly (string | null)[]): void {
  if (names.filter((name) => name === '-').length > 1)
    throw new OperatorError('USAGE', '- (standard input) can be read only once', 'name it once');
}
