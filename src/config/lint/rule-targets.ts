/** The target of `rewrite` and those of the alternatives, which are checked alike. */
import type { PolicyPath } from '../../policy/problem.ts';
import type { RewriteTarget } from '../../policy/transform/transforms.ts';
import type { CompiledTarget, Rule } from '../../rules/rule.ts';

export interface RuleTarget {
  readonly target: CompiledTarget;
  readonly policy: RewriteTarget;
  /** In the policy. */
  readonly path: PolicyPath;
}

/** In order, without the image as written, which is no target. */
export function targetsOf(rule: Rule, index: number): RuleTarget[] {
  const { rewrite } = rule.policy;
  const first = rewrite === undefined ? [] : [{ target: rule, policy: rewrite, path: ['rules', index, 'rewrite'] }];
  return [
    ...first,
    ...rule.alternatives.flatMap((target, position) => {
      const { policy } = target;
      return policy.as === 'original' ? [] : [{ target, policy, path: ['rules', index, 'alternatives', position] }];
    }),
  ];
}
