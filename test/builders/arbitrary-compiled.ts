/** Random policies that `load` would accept, pull policies, warnings and registries that nodes do not reach included. */
import * as fc from '../random/fast-check.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import type { ResolvedHosts } from '../../src/rules/registries.ts';
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
  readonly hosts: ResolvedHosts;
  readonly policy: CompiledPolicy;
}

const unreached = fc
  .subarray(['a', 'b', 'c'])
  .map((names): ResolvedHosts => Object.fromEntries(names.map((name) => [name, { unavailable: true }])));

export const compiledPolicy: fc.Arbitrary<Compiled> = fc
  .tuple(input, fc.oneof(fc.constant<ResolvedHosts>({}), unreached))
  .map(([parts, hosts]) => ({ input: parts, hosts, policy: compiled(parts, hosts) }))
  .filter(({ policy: { problems } }) => problems.every(({ severity }) => severity !== 'error'))
  .map((entry) => Object.assign(entry, { [fc.toStringMethod]: () => JSON.stringify([entry.input, entry.hosts]) }));
