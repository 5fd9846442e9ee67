/** The alternatives of a rule that a compiled policy has to know. */
import type { RewriteTarget } from '../../policy/transform/transforms.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import type { CompiledAlternative, Rule } from '../../rules/rule.ts';

export interface Alternative {
  readonly target: CompiledAlternative;
  readonly rewrite: RewriteTarget;
  /** In the alternatives. */
  readonly position: number;
}

/** The alternatives that nodes reach, where they come before the first target. */
export function divertedTo(rule: Rule): Alternative[] {
  return rule.isDiverted ? resolvedAlternatives(rule).filter(({ target }) => !target.isUnavailable) : [];
}

export function resolvedAlternatives({ alternatives }: Rule): Alternative[] {
  return alternatives.flatMap((target, position) => {
    const { policy, rewrite } = target;
    return policy.as === 'original' || rewrite === null ? [] : [{ target, rewrite: policy, position }];
  });
}

/** Without any pull secret, further targets change nothing about a new pod. */
export function addsSecretsOfAlternatives({ alternatives }: Rule, { registries, policy }: CompiledPolicy): boolean {
  const isAny =
    [...registries.values()].some(({ pullSecrets }) => pullSecrets.length > 0) ||
    policy.rules.some(({ pullSecrets }) => pullSecrets.length > 0);
  return alternatives.length > 0 && isAny;
}
