/** Patterns whose images a transform cannot handle, such as the full name of a host with a port. */
import { problem, type PolicyProblem } from '../../policy/problem.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import type { CompiledTarget, Rule } from '../../rules/rule.ts';
import { samplesOf } from './samples.ts';

export function failing(rules: readonly Rule[]): PolicyProblem[] {
  return rules.flatMap((rule, index) => [
    ...rule.images.flatMap((pattern, position) => {
      const reason = reasonToFail(rule, pattern);
      if (reason === null) return [];
      const path = ['rules', index, 'match', 'images', position];
      return [problem('cannot-be-rewritten', path, `images of ${pattern.text} cannot be rewritten: ${reason}`)];
    }),
    ...rule.alternatives.flatMap((alternative, position) => {
      const reasons = rule.images.map((pattern) => reasonToFail(alternative, pattern));
      const [reason] = reasons;
      if (reason === undefined || reason === null || reasons.includes(null)) return [];
      const path = ['rules', index, 'alternatives', position];
      return [problem('cannot-be-rewritten', path, `no image of the rule has a name there: ${reason}`)];
    }),
  ]);
}

/** Null unless every tried image fails. A regular expression may match many others. */
function reasonToFail({ rewrite }: CompiledTarget, pattern: Pattern): string | null {
  if (pattern.kind === 'regex' || rewrite === null) return null;
  let reason: string | null = null;
  for (const sample of samplesOf(pattern)) {
    const match = matchPattern(pattern, sample);
    const transformed = match === null ? null : rewrite.transform(sample, match);
    if (transformed === null) continue;
    if (transformed.ok) return null;
    reason = transformed.reason;
  }
  return reason;
}
