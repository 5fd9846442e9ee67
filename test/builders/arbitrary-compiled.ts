/** Random policies that `load` would accept, pull policies and warnings included. */
import * as fc from 'fast-check';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { policy } from '../rules/arbitrary-policy.ts';
import { compiled, type PolicyInput, type RuleInput } from '../rules/policy.ts';

const pullPolicies = fc.array(fc.constantFrom('keep' as const, 'derive' as const, 'IfNotPresent' as const, 'Always' as const), {
  minLength: 5,
  maxLength: 5,
});

type PullPolicy = NonNullable<RuleInput['pullPolicy']>;

/** A rule without `rewrite` may have no pull policy. */
function withPullPolicies(parts: PolicyInput, chosen: readonly PullPolicy[]): RuleInput[] {
  return (parts.rules ?? []).map((rule, index) =>
    Object.assign({}, rule, rule.rewrite === undefined ? {} : { pullPolicy: chosen[index] ?? 'keep' }),
  );
}

const input: fc.Arbitrary<PolicyInput> = fc
  .tuple(policy, pullPolicies, fc.constantFrom('problems' as const, 'rewrites' as const))
  .map(([parts, chosen, warnings]) => Object.assign({}, parts, { warnings, rules: withPullPolicies(parts, chosen) }));

export interface Compiled {
  /** What a counter-example shows. */
  readonly input: PolicyInput;
  readonly policy: CompiledPolicy;
}

export const compiledPolicy: fc.Arbitrary<Compiled> = input
  .map((parts) => ({ input: parts, policy: compiled(parts) }))
  .filter(({ policy: { problems } }) => problems.every(({ severity }) => severity !== 'error'))
  .map((entry) => Object.assign(entry, { [fc.toStringMethod]: () => JSON.stringify(entry.input) }));
