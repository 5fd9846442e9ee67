/**
 * Rules whose result another rule would rewrite again. Found by trying: each pattern is turned into an image that it matches, and the
 * rule's result is decided by the table again.
 */
import { parseReference } from '../../image/reference.ts';
import { problem, type PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { checkIdempotence } from '../../rules/idempotence.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import type { Rule } from '../../rules/rule.ts';
import type { Table } from '../../rules/table.ts';
import { contextOf, sampleOf } from './samples.ts';

export function nonConverging({ rules, table }: CompiledPolicy): PolicyProblem[] {
  return rules.flatMap((rule, index) => {
    const again = rule.images.map((pattern) => problemOf(table, rule, pattern)).find((found) => found !== null);
    if (again === undefined) return [];
    return [problem('rewritten-again', ['rules', index, 'rewrite'], `${again}; exclude the result there`)];
  });
}

function problemOf(table: Table, rule: Rule, pattern: Pattern): string | null {
  const sample = sampleOf(pattern);
  const match = sample === null ? null : matchPattern(pattern, sample);
  if (sample === null || match === null || rule.rewrite === null) return null;
  const transformed = rule.rewrite.transform(sample, match);
  const result = transformed.ok ? parseReference(transformed.text) : null;
  if (result === null || !result.ok) return null;
  const { problem: again } = checkIdempotence(table, result.reference, contextOf(rule));
  return again === null ? null : `${sample.text} would become ${result.reference.text}, but ${again}`;
}
