/**
 * A policy as a MutatingPolicy of Kyverno: the expressions of `export admission-policy`, which Kyverno evaluates in its own webhook.
 * https://kyverno.io/docs/policy-types/mutating-policy/
 */
import type { CompiledPolicy } from '../rules/compile.ts';
import { expressionsOf, exportedPolicy, partNote, revisionNote, type AdmissionPolicyOptions } from './admission-policy/admission-policy.ts';
import { policyText } from './admission-policy/document.ts';
import { optedIn } from './admission-policy/scope.ts';
import { headLine, type Exported } from './exported.ts';

/** Kyverno would otherwise add rules for Deployments and others, or change pods that exist. */
const settings = `  evaluation:
    admission: { enabled: true }
    background: { enabled: false }
    mutateExisting: { enabled: false }
  autogen:
    podControllers: { controllers: [] }
`;

export function exportKyverno(policy: CompiledPolicy, options: AdmissionPolicyOptions): Exported {
  const expressions = expressionsOf(policy, options);
  const condition = {
    name: 'opted-in',
    comment: "A pod's own label wins over that of its namespace.",
    expression: optedIn(options),
  };
  const document = { ...expressions, conditions: [condition, ...expressions.conditions] };
  const text = policyText({ apiVersion: 'policies.kyverno.io/v1', kind: 'MutatingPolicy', settings }, document);
  const head = (isPartial: boolean): string => `${headLine('kyverno')}
# It needs a Kyverno that serves MutatingPolicy as policies.kyverno.io/v1. ${revisionNote(policy)}
${isPartial ? partNote : ''}`;
  return exportedPolicy({ kind: 'MutatingPolicy', evaluator: 'Kyverno' }, document, { head, text });
}
