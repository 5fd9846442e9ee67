/** The possible outcomes for one image. Logs, metrics, responses and the `tests:` of a policy use the same words. */

export const outcomes = ['rewritten', 'already-there', 'no-rule', 'excluded', 'invalid', 'refused', 'unchanged'] as const;

export type Outcome = (typeof outcomes)[number];
