/** Policies for tests, from what a file would hold. */
import type { z } from 'zod';
import { policySchema } from '../../src/config/schema.ts';
import { compilePolicy, type CompiledPolicy } from '../../src/rules/compile.ts';
import { decideImage } from '../../src/rules/decide.ts';
import type { ImageDecision, PodContext } from '../../src/rules/decision.ts';
import type { ResolvedHosts } from '../../src/rules/registries.ts';

export type PolicyInput = Omit<z.input<typeof policySchema>, 'apiVersion' | 'kind'>;
export type RuleInput = NonNullable<PolicyInput['rules']>[number];

export const anyPod: PodContext = { namespace: 'default', podLabels: {} };

/** Compiled with its problems, whatever they are. */
export function compiled(input: PolicyInput, hosts: ResolvedHosts = {}): CompiledPolicy {
  return compilePolicy(policySchema.parse({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', ...input }), hosts);
}

/** @throws where the policy has a problem, so that a test never runs against half a policy */
export function decider(input: PolicyInput, hosts: ResolvedHosts = {}): (image: string, context?: Partial<PodContext>) => ImageDecision {
  const { table, problems } = compiled(input, hosts);
  if (problems.length > 0) throw new Error(problems.map(({ path, message }) => `${path.join('.')}: ${message}`).join('\n'));
  return (image, context = {}) => decideImage(table, image, { ...anyPod, ...context });
}

/** What the pod says afterwards. */
export function becomes({ image, result }: ImageDecision): string {
  return result ?? image;
}
