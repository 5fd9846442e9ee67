/** Patterns whose images a transform cannot handle, such as the full name of a host with a port. */
import { problem, type PolicyProblem } from '../../policy/problem.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import type { Rule } from '../../rules/rule.ts';
import { samplesOf } from './samples.ts';

export function failing(rules: readonly Rule[]): PolicyProblem[] {
  return rules.flatMap((rule, index) =>
    rule.images.flatMap((pattern, position) => {
      const reason = reasonToFail(rule, pattern);
      if (reason === null) return [];
      return [
        problem(
          'cannot-be-rewritten',
          ['rules', index, 'match', 'images', position],
          `images of ${pattern.text} cannot be rewritten: ${reason}`,
        ),
      ];
    }),
  );
}

/** Null unless every tried image fails. A regular expression may match many others. */
function reasonToFail(rule: Rule, pattern: Pattern): string | null {
  if (pattern.kind === 'regex' || rule.rewrite === null) return null;
  let reason: string | null = null;
  for (const sample of samplesOf(pattern)) {
    const match = matchPattern(pattern, sample);
    const transformed = match === null ? null : rule.rewrite.transform(sample, match);
    if (transformed === null) continue;
    if (transformed.ok) return null;
    reason = transformed.reason;
  }
  return reason;
}
