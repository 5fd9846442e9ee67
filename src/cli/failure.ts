/** How a command ends that met an error: one line on stderr, findings one a line, exit code 2. */
import type { Writable } from 'node:stream';
import { formatFinding } from '../errors/finding.ts';
import type { OperatorError } from '../errors/operator-error.ts';
import { asOperatorError } from '../errors/system-error.ts';

/** Prints why the command ended; of anything unforeseen the stack too, since a report needs it. */
export function exitCodeOf(error: unknown, command: string, stderr: Writable): number {
  const known = asOperatorError(error);
  stderr.write(`transship ${command}: ${known === null ? unforeseen(error) : explain(known)}\n`);
  return 2;
}

export function explain({ code, message, findings }: OperatorError): string {
  return [`${code}: ${message}`, ...findings.map(formatFinding)].join('\n');
}

function unforeseen(error: unknown): string {
  const stack = error instanceof Error ? (error.stack ?? error.message) : String(error);
  return `INTERNAL: a fault of transship; please report it with these lines\n${stack}`;
}
