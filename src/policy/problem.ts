/** What is wrong with a policy, and where. */

/** Keys and indexes from the root of the policy file. */
export type PolicyPath = readonly (string | number)[];

export interface PolicyProblem {
  readonly severity: 'error' | 'warning';
  readonly path: PolicyPath;
  /** What is wrong and what to do. */
  readonly message: string;
}
