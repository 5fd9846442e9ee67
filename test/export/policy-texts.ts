/** Random policies as files, and those of them that a MutatingAdmissionPolicy can say. */
import * as fc from '../random/fast-check.ts';
import { stringify } from 'yaml';
import { loadPolicy } from '../../src/config/load.ts';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { decideImage } from '../../src/rules/decide.ts';
import { image, policy } from '../rules/arbitrary-policy.ts';
import type { PolicyInput, RuleInput } from '../rules/policy.ts';
import { defaults } from './equality.ts';

/** Settings for pods that the generator of rules does not vary. */
function varied(rule: RuleInput, index: number): RuleInput {
  if (rule.rewrite === undefined) return rule;
  const pullPolicy = (['keep', 'derive', 'IfNotPresent', 'Always'] as const)[index % 4];
  const onPullPolicyNever = (['auto', 'keep', 'rewrite'] as const)[index % 3];
  const onMissingSecret = (['warn', 'keep'] as const)[index % 2];
  return { ...rule, pullPolicy, onPullPolicyNever, onMissingSecret };
}

/** Without the alternatives that no expression says. */
function withPlainAlternatives({ alternatives = [], ...rest }: RuleInput): RuleInput {
  return { ...rest, alternatives: alternatives.filter(({ as }) => as !== 'original' && as !== 'template') };
}

export function policyText(input: PolicyInput): string {
  return stringify({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', ...input }, { aliasDuplicateObjects: false });
}

/** Of a hundred random images. Most random policies concern few. */
const minRewritten = 25;
const someImages = fc.sample(image, { seed: 1, numRuns: 100 });

/** Images that the policy rewrites in a pod without labels. */
export function rewrittenImages({ table }: CompiledPolicy): string[] {
  const context = { namespace: 'shop', podLabels: {} };
  return someImages.filter((each) => decideImage(table, each, context).result !== null);
}

function texts(change: (rule: RuleInput) => RuleInput): fc.Arbitrary<string> {
  return policy
    .map((parts) => policyText({ ...parts, rules: (parts.rules ?? []).map((rule, index) => varied(change(rule), index)) }))
    .filter((text) => {
      const { compiled } = loadPolicy(text, 'random.yaml');
      return compiled !== null && rewrittenImages(compiled).length >= minRewritten;
    });
}

export const policyTexts = texts((rule) => rule);

export const expressibleTexts = texts(withPlainAlternatives).filter((text) => {
  const { compiled } = loadPolicy(text, 'random.yaml');
  return compiled !== null && exportAdmissionPolicy(compiled, defaults).refusals.length === 0;
});
