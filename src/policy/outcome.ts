/** What can be decided about one image. The same words stand in logs, metrics, answers and the `tests:` of a policy. */

export const outcomes = ['rewritten', 'already-there', 'no-rule', 'excluded', 'invalid', 'refused', 'unchanged'] as const;

export type Outcome = (typeof outcomes)[number];
