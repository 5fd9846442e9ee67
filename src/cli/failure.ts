/** How a command reports an error: one line on stderr, one line per finding, exit code 2. */
import { formatFinding } from '../errors/finding.ts';
import type { OperatorError } from '../errors/operator-error.ts';
import { asOperatorError } from '../errors/system-error.ts';
import { printableLines, printed, type Printable } from '../text/printable.ts';
import { writeLines, type Output } from './output.ts';

/** Prints why the command failed; for an unexpected error also the stack, which a bug report needs. */
export function exitCodeOf(error: unknown, command: string, stderr: Output): number {
  const known = asOperatorError(error);
  const lines = known === null ? unforeseen(error, command) : explanation(known, command);
  writeLines(stderr, lines);
  return 2;
}

export function explanation({ code, message, findings }: OperatorError, command: string): Printable[] {
  return [printed`transship ${command}: ${code}: ${message}`, ...findings.map(formatFinding)];
}

function unforeseen(error: unknown, command: string): Printable[] {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  const head = printed`transship ${command}: INTERNAL: a fault of transship; please report it with these lines`;
  return [head, printableLines(stack)];
}
