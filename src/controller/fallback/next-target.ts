/** Where a container goes that cannot be pulled: once round the targets of its rule, beginning with the one that its pod got first. */
import { stepsOf, type FallbackStep, type TakenStep } from '../../pod/fallback-record.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { targetName } from '../../rules/alternatives.ts';
import type { ImageDecision } from '../../rules/decision.ts';
import type { Rule } from '../../rules/rule.ts';

export interface NextTarget {
  /** A registry, `original` or a transform. */
  readonly target: string;
  readonly image: string;
  readonly pullSecrets: readonly string[];
  /** Beginning with 1. */
  readonly step: number;
}

/** Of a container. */
export interface Place {
  readonly image: string;
  /** The last step, whichever image it was to. */
  readonly last: FallbackStep | undefined;
}

/**
 * The order of the targets is a circle: which of them new pods begin with depends on the breakers, and may have changed since this pod began.
 *
 * @param decision about the image as written
 * @returns null where the image is none of the rule's; `exhausted` where there is no further target
 */
export function nextTarget(
  { image, last }: Place,
  decision: ImageDecision,
  { registries, rules }: CompiledPolicy,
): NextTarget | 'exhausted' | null {
  const first = { target: firstOf(decision, rules), image: decision.result ?? decision.image, pullSecrets: decision.pullSecrets };
  const targets = [first, ...decision.alternatives];
  const steps = last?.to === image ? stepsOf(last) : [];
  const taken = last?.to === image ? last.step : 0;
  const position = targets.findIndex((each) => each.image === image);
  if (position === -1 && taken === 0) return null;
  const from = position === -1 ? taken : position;
  const tried = new Set([image, ...steps.map((step) => step.from)]);
  const furthest = targets.length - 1;
  // No more steps than alternatives, also where the policy has changed since.
  const mayGo = hasOrderChanged(targets, steps, { position, taken })
    ? (): boolean => steps.length < furthest
    : (distance: number): boolean => taken + distance <= furthest;
  const further = targets.flatMap((_, distance): NextTarget[] => {
    const next = targets[(from + distance) % targets.length];
    if (distance === 0 || !mayGo(distance) || next === undefined || next.image === null || tried.has(next.image)) return [];
    return [{ target: next.target, image: next.image, pullSecrets: next.pullSecrets, step: Math.min(taken + distance, furthest) }];
  });
  return further.find(({ target }) => registries.get(target)?.isUnavailable !== true) ?? further[0] ?? 'exhausted';
}

/** The target that new pods begin with: the one of the rule that is not among the alternatives of the decision. */
function firstOf({ rule: name, alternatives }: ImageDecision, rules: readonly Rule[]): string {
  const rule = rules.find(({ policy }) => policy.name === name);
  const names = [rule?.policy.rewrite, ...(rule?.alternatives ?? []).map(({ policy }) => policy)].flatMap((target) =>
    target === undefined ? [] : targetName(target),
  );
  // A registry may be named twice, with another path.
  for (const { target } of alternatives) names.splice(names.indexOf(target), names.includes(target) ? 1 : 0);
  return names[0] ?? '';
}

/** Whether the policy has the targets in another order than the one in which the container went through them. */
function hasOrderChanged(
  targets: readonly { readonly image: string | null }[],
  steps: readonly TakenStep[],
  { position, taken }: { readonly position: number; readonly taken: number },
): boolean {
  if (steps.length === 0 || position === -1) return false;
  const first = targets.findIndex(({ image }) => image === steps[0]?.from);
  return first === -1 || (first + taken) % targets.length !== position;
}
