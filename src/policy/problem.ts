/** What is wrong with a policy, and where. */
import { problemCodes, type ProblemCode, type Severity } from './problem-codes.ts';

/** Keys and indexes from the root of the policy file. */
export type PolicyPath = readonly (string | number)[];

export interface PolicyProblem {
  readonly code: ProblemCode;
  readonly severity: Severity;
  readonly path: PolicyPath;
  /** What is wrong and what to do. */
  readonly message: string;
}

export function problem(code: ProblemCode, path: PolicyPath, message: string): PolicyProblem {
  return { code, severity: problemCodes[code].severity, path, message };
}
