/** Whether the table leaves its own results unchanged: f(f(x)) = f(x), for images and for secrets. */
import type { Reference } from '../image/reference.ts';
import { noSecrets, type PodContext } from './decision.ts';
import { excludingPattern, findRule, type Table } from './table.ts';
import { targetOf } from './targets.ts';

export interface Idempotence {
  /** What a second pass would change about the image; null for nothing. */
  readonly problem: string | null;
  /** Secrets that a second pass would add. */
  readonly pullSecrets: readonly string[];
}

const idempotent: Idempotence = { problem: null, pullSecrets: noSecrets };

/**
 * Applies the table to its own result. A second pass must change nothing (reinvocation, a pod copied from a running one), so a result that
 * would be rewritten again is refused, and secrets that a second pass would add are added now.
 */
export function checkIdempotence(table: Table, result: Reference, context: PodContext): Idempotence {
  if (excludingPattern(table, result) !== null) return idempotent;
  const match = findRule(table, result, context);
  if (match === null) return idempotent;
  if (match.rule.policy.rewrite === undefined) return { problem: null, pullSecrets: match.rule.policy.pullSecrets };
  if (targetOf(table.targets, result) !== null) return idempotent;
  if (match.rule.rewrite === null) return idempotent;
  const transformed = match.rule.rewrite.transform(result, match.match);
  if (!transformed.ok) return idempotent;
  if (transformed.text === result.text)
    return { problem: null, pullSecrets: [...match.rule.registrySecrets, ...match.rule.policy.pullSecrets] };
  return { problem: `rule ${match.rule.policy.name} would rewrite that again to ${transformed.text}`, pullSecrets: noSecrets };
}
