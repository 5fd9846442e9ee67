/** A problem in a file: position, severity and message. */
import type { ProblemCode, Severity } from '../policy/problem-codes.ts';
import { printed, type Printable } from '../text/printable.ts';

export interface Finding {
  readonly code: ProblemCode;
  readonly severity: Severity;
  /** Name of the file in messages. */
  readonly file: string;
  /** Both start at 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `policy.yaml:12:7: error: rule hub: …`, the format that editors and CI systems link. */
export function formatFinding({ file, line, column, severity, message }: Finding): Printable {
  return printed`${file}:${line}:${column}: ${severity}: ${message}`;
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error');
}
