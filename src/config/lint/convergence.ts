/**
 * Rules whose result another rule would rewrite again. Found by trying: each pattern is turned into an image that it matches, and the
 * rule's result is decided by the table again.
 */
import { parseReference } from '../../image/reference.ts';
import { problem, type PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { checkIdempotence } from '../../rules/idempotence.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import type { CompiledTarget, Rule } from '../../rules/rule.ts';
import type { Table } from '../../rules/table.ts';
import { contextOf, sampleOf } from './samples.ts';
import { targetsOf } from './rule-targets.ts';

export function nonConverging({ rules, table }: CompiledPolicy): PolicyProblem[] {
  return rules.flatMap((rule, index) =>
    targetsOf(rule, index).flatMap(({ target, path }) => {
      const again = rule.images.map((pattern) => problemOf(table, { rule, target, pattern })).find((found) => found !== null);
      return again === undefined ? [] : [problem('rewritten-again', path, `${again}; exclude the result there`)];
    }),
  );
}

interface Tried {
  readonly rule: Rule;
  readonly target: CompiledTarget;
  readonly pattern: Pattern;
}

function problemOf(table: Table, { rule, target: { rewrite }, pattern }: Tried): string | null {
  const sample = sampleOf(pattern);
  const match = sample === null ? null : matchPattern(pattern, sample);
  if (sample === null || match === null || rewrite === null) return null;
  const transformed = rewrite.transform(sample, match);
  const result = transformed.ok ? parseReference(transformed.text) : null;
  if (result === null || !result.ok) return null;
  const { problem: again } = checkIdempotence(table, result.reference, contextOf(rule));
  return again === null ? null : `${sample.text} would become ${result.reference.text}, but ${again}`;
}
