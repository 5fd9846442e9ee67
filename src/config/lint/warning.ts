/** The shape of a lint warning. */
import type { PolicyPath, PolicyProblem } from '../../policy/problem.ts';

export function warning(path: PolicyPath, message: string): PolicyProblem {
  return { severity: 'warning', path, message };
}
