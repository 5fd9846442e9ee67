/** Adds the position in a policy file to a problem. */
import type { Finding } from '../errors/finding.ts';
import type { PolicyPath, PolicyProblem } from '../policy/problem.ts';
import { positionOf, type SourceFile } from './position.ts';

/** Adds the position, and the name of the rule that it is in. */
export function locate(file: SourceFile, problem: PolicyProblem & { readonly key?: boolean }): Finding {
  const message = ruleLabel(file, problem.path) + problem.message;
  const { code, severity } = problem;
  return { file: file.name, code, severity, message, ...positionOf(file, problem.path, problem.key) };
}

function ruleLabel(file: SourceFile, path: PolicyPath): string {
  const [section, index] = path;
  if (section !== 'rules' || typeof index !== 'number') return '';
  const name = file.document.getIn(['rules', index, 'name']);
  return `rule ${typeof name === 'string' ? name : `rule-${index + 1}`}: `;
}
