/** What the alternatives of a rule make of an image: where a node may pull it from when it cannot from the first target. */
import { parseReference, type Reference } from '../image/reference.ts';
import type { AlternativeTarget } from '../policy/types.ts';
import { noSecrets, type AlternativeDecision, type PodContext } from './decision.ts';
import { checkIdempotence } from './idempotence.ts';
import type { CompiledAlternative } from './rule.ts';
import { secretsAt, union } from './secrets.ts';
import type { RuleMatch, Table } from './table.ts';

interface Rewritten extends RuleMatch {
  /** The image at the first target. */
  readonly first: string;
}

/** In the order of the rule; an alternative without a result for this image says why. */
export function alternativesOf(
  table: Table,
  reference: Reference,
  { rule, match, first }: Rewritten,
  context: PodContext,
): AlternativeDecision[] {
  const taken = new Set([first]);
  return rule.alternatives.map((alternative) => {
    const target = targetName(alternative.policy);
    const result = resultOf(alternative, reference, match);
    if (typeof result === 'string') return none(target, result);
    const { text } = result;
    if (taken.has(text)) return none(target, `${text} was tried before`);
    const secrets = [alternative.registrySecrets, secretsAt(table, result), rule.policy.pullSecrets];
    if (alternative.policy.as !== 'original') {
      const next = checkIdempotence(table, result, context);
      if (next.problem !== null) return none(target, `it would be ${text}, but ${next.problem}`);
      secrets.push(next.pullSecrets);
    }
    taken.add(text);
    return { target, image: text, pullSecrets: union(secrets), problem: null };
  });
}

/** The image there, or why there is none. */
function resultOf({ rewrite, waitsFor }: CompiledAlternative, reference: Reference, match: RuleMatch['match']): Reference | string {
  if (rewrite === null) return `the host of registry ${waitsFor} is not resolved`;
  const transformed = rewrite.transform(reference, match);
  if (!transformed.ok) return transformed.reason;
  const parsed = parseReference(transformed.text);
  return parsed.ok ? parsed.reference : `it would be ${transformed.text}, which is not an image reference: ${parsed.problem}`;
}

function none(target: string, problem: string): AlternativeDecision {
  return { target, image: null, pullSecrets: noSecrets, problem };
}

/** The name of its registry; `original`, or the transform where it names no registry. */
export function targetName(policy: AlternativeTarget): string {
  return 'registry' in policy && policy.registry !== undefined ? policy.registry : policy.as;
}
