/** Whether a result stays as it is when the table sees it again: f(f(x)) = f(x), for images and for secrets. */
import type { Reference } from '../image/reference.ts';
import { noSecrets, type PodContext } from './decision.ts';
import { excludingPattern, findRule, type Table } from './table.ts';
import { targetOf } from './targets.ts';

export interface SecondPass {
  /** What a second pass would change about the image, null when nothing. */
  readonly problem: string | null;
  /** Secrets that a second pass would add. */
  readonly pullSecrets: readonly string[];
}

const settled: SecondPass = { problem: null, pullSecrets: noSecrets };

/**
 * What the table would do with its own result. A second pass must change nothing (reinvocation, a pod copied from a running
 * one), so what would be rewritten once more is refused, and secrets that a second pass would add are added now.
 */
export function secondPass(table: Table, result: Reference, context: PodContext): SecondPass {
  if (excludingPattern(table, result) !== null) return settled;
  const fired = findRule(table, result, context);
  if (fired === null) return settled;
  if (fired.rule.policy.rewrite === undefined) return { problem: null, pullSecrets: fired.rule.policy.pullSecrets };
  if (targetOf(table.targets, result) !== null) return settled;
  if (fired.rule.rewrite === null) return settled;
  const transformed = fired.rule.rewrite.transform(result, fired.match);
  if (!transformed.ok) return settled;
  if (transformed.text === result.text)
    return { problem: null, pullSecrets: [...fired.rule.registrySecrets, ...fired.rule.policy.pullSecrets] };
  return { problem: `rule ${fired.rule.policy.name} would rewrite that again to ${transformed.text}`, pullSecrets: noSecrets };
}
