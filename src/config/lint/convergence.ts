/**
 * Rules whose result another rule would rewrite once more. They are found by trying: each pattern is turned into an image that
 * it matches, and the table is asked what it makes of the rule's result.
 */
import { parseReference, type Reference } from '../../image/reference.ts';
import type { PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { checkIdempotence } from '../../rules/idempotence.ts';
import { matchPattern, type Pattern } from '../../rules/pattern.ts';
import type { Rule } from '../../rules/rule.ts';
import type { Table } from '../../rules/table.ts';

export function nonConverging({ rules, table }: CompiledPolicy): PolicyProblem[] {
  return rules.flatMap((rule, index) => {
    const problem = rule.images.map((pattern) => problemOf(table, rule, pattern)).find((found) => found !== null);
    if (problem === undefined) return [];
    return [{ severity: 'error' as const, path: ['rules', index, 'rewrite'], message: `${problem}; exclude the result there` }];
  });
}

function problemOf(table: Table, rule: Rule, pattern: Pattern): string | null {
  const sample = sampleOf(pattern);
  const match = sample === null ? null : matchPattern(pattern, sample);
  if (sample === null || match === null || rule.rewrite === null) return null;
  const transformed = rule.rewrite.transform(sample, match);
  const result = transformed.ok ? parseReference(transformed.text) : null;
  if (result === null || !result.ok) return null;
  const { problem } = checkIdempotence(table, result.reference, contextOf(rule));
  return problem === null ? null : `${sample.text} would become ${result.reference.text}, but ${problem}`;
}

/** A pod that the rule applies to, as far as its conditions can be turned into one. */
function contextOf({ policy }: Rule): { namespace: string; podLabels: Readonly<Record<string, string>> } {
  return { namespace: (policy.match.namespaces?.[0] ?? 'default').replaceAll('*', 'x'), podLabels: policy.match.podLabels ?? {} };
}

const endings = ['', 'sample', 'sample:1', '/sample', 'sample/sample:1'];

function sampleOf(pattern: Pattern): Reference | null {
  const start = pattern.kind === 'regex' ? pattern.prefix : nameSample(pattern.text);
  for (const ending of endings) {
    const parsed = parseReference(start + ending);
    if (parsed.ok && matchPattern(pattern, parsed.reference) !== null) return parsed.reference;
  }
  return null;
}

function nameSample(text: string): string {
  if (text === '*') return 'sample.example/sample/sample';
  const named = text.replace(/:\*/, '').replaceAll('*', 'sample');
  return named.includes('/') ? named : `${named}/sample/sample`;
}
