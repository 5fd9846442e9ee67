/** A finding about a policy file: where, how bad, what and what to do. */
import type { PolicyPath, PolicyProblem } from '../policy/problem.ts';
import { positionOf, type Position, type SourceFile } from './position.ts';

export interface Finding extends Position {
  readonly severity: 'error' | 'warning';
  readonly file: string;
  readonly message: string;
}

/** `policy.yaml:12:7: error: rule hub: …`, the form that editors and CI systems link. */
export function formatFinding(finding: Finding): string {
  return `${finding.file}:${finding.line}:${finding.column}: ${finding.severity}: ${finding.message}`;
}

export function hasErrors(findings: readonly Finding[]): boolean {
  return findings.some((finding) => finding.severity === 'error');
}

/** Gives a problem its position and the name of the rule it is in. */
export function locate(file: SourceFile, problem: PolicyProblem & { readonly key?: boolean }): Finding {
  const message = ruleLabel(file, problem.path) + problem.message;
  return { file: file.name, severity: problem.severity, message, ...positionOf(file, problem.path, problem.key) };
}

function ruleLabel(file: SourceFile, path: PolicyPath): string {
  const [section, index] = path;
  if (section !== 'rules' || typeof index !== 'number') return '';
  const name = file.document.getIn(['rules', index, 'name']);
  return `rule ${typeof name === 'string' ? name : `rule-${index + 1}`}: `;
}
