/** The form of what the linter says. */
import type { PolicyPath, PolicyProblem } from '../../policy/problem.ts';

export function warning(path: PolicyPath, message: string): PolicyProblem {
  return { severity: 'warning', path, message };
}
