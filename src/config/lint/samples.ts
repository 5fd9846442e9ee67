/** Images that match a pattern, to try the policy with. */
import { parseReference, type Reference } from '../../image/reference.ts';
import type { PodContext } from '../../rules/decision.ts';
import { matchPattern, type NamePattern, type Pattern } from '../../rules/pattern.ts';
import type { Rule } from '../../rules/rule.ts';

/** A pod that meets the rule's conditions, as far as one can be derived from them. */
export function contextOf({ policy }: Rule): PodContext {
  return { namespace: (policy.match.namespaces?.[0] ?? 'default').replaceAll('*', 'x'), podLabels: policy.match.podLabels ?? {} };
}

const endings = ['', 'sample', 'sample:1', '/sample', 'sample/sample:1'];

/** An image that matches the pattern, null if none was found. */
export function sampleOf(pattern: Pattern): Reference | null {
  return samplesOf(pattern)[0] ?? null;
}

/** Several images that match the pattern: the name itself, and names below it. */
export function samplesOf(pattern: Pattern): Reference[] {
  const start = pattern.kind === 'regex' ? pattern.prefix : nameSample(pattern);
  return endings.flatMap((ending) => {
    const parsed = parseReference(start + ending);
    return parsed.ok && matchPattern(pattern, parsed.reference) !== null ? [parsed.reference] : [];
  });
}

function nameSample({ text }: NamePattern): string {
  if (text === '*') return 'sample.example/sample/sample';
  const named = text.replace(/:\*/, ':5000').replaceAll('*', 'sample');
  return named.includes('/') ? named : `${named}/sample/sample`;
}
