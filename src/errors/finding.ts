/** Something to correct in a file: where, how bad, and what. */
import { printed, type Printable } from '../text/printable.ts';

export interface Finding {
  readonly severity: 'error' | 'warning';
  /** As messages show it. */
  readonly file: string;
  /** Both from 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** `policy.yaml:12:7: error: rule hub: …`, the form that editors and CI systems link. */
export function formatFinding({ file, line, column, severity, message }: Finding): Printable {
  return printed`${file}:${line}:${column}: ${severity}: ${message}`;
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error');
}
