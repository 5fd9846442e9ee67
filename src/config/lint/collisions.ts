/** Sources that two patterns name and that one transform gives the same name: one image would silently stand in for another. */
import type { PolicyProblem } from '../../policy/problem.ts';
import { transformOf } from '../../policy/transform/transforms.ts';
import { isGlob } from '../../rules/glob.ts';
import type { NamePattern, Pattern } from '../../rules/pattern.ts';
import { parseReference } from '../../image/reference.ts';
import type { Rule } from '../../rules/rule.ts';

interface Source {
  readonly pattern: NamePattern;
  readonly path: readonly (string | number)[];
  readonly rule: string;
}

export function collisions(rules: readonly Rule[]): PolicyProblem[] {
  const seen = new Map<string, Source>();
  const found: PolicyProblem[] = [];
  for (const [index, rule] of rules.entries()) {
    if (rule.policy.rewrite === undefined || !transformOf(rule.policy.rewrite).isLossy) continue;
    for (const [position, pattern] of rule.images.entries()) {
      const source = literalSource(pattern, { path: ['rules', index, 'match', 'images', position], rule: rule.policy.name });
      const result = source === null ? null : resultOf(rule, source.pattern);
      if (source === null || result === null) continue;
      const other = seen.get(result);
      if (other === undefined) seen.set(result, source);
      else if (other.pattern.text !== source.pattern.text)
        found.push({ severity: 'warning', path: source.path, message: message(source, other, result) });
    }
  }
  return found;
}

/** Only a repository written out can be checked; what a `*` or a namespace will hold is not known. */
function literalSource(pattern: Pattern, place: Omit<Source, 'pattern'>): Source | null {
  if (pattern.kind === 'regex' || pattern.path.length === 0 || pattern.anyPort) return null;
  return isGlob(pattern.text) ? null : { pattern, ...place };
}

function resultOf(rule: Rule, pattern: NamePattern): string | null {
  const parsed = parseReference(`${pattern.host}/${pattern.path.join('/')}`);
  if (!parsed.ok || rule.rewrite === null) return null;
  const transformed = rule.rewrite.transform(parsed.reference, { source: pattern.text, remainder: '', captures: new Map() });
  return transformed.ok ? transformed.text : null;
}

function message(source: Source, other: Source, result: string): string {
  return `${source.pattern.text} and ${other.pattern.text} (rule ${other.rule}) both become ${result}; one would be pulled in place of the other`;
}
