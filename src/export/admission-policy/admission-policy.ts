/**
 * A policy as a MutatingAdmissionPolicy: the API server itself decides as the webhook does.
 * https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
import type { CompiledPolicy } from '../../rules/compile.ts';
import { headLine, type Exported } from '../exported.ts';
import { concernCondition } from './concern.ts';
import { decisionVariables, hasSecrets } from './decision.ts';
import { documentText } from './document.ts';
import { patchExpression, recordVariables } from './patch.ts';
import { bindings, guardedNamespaces, inScope, scopeConditions, type Scope } from './scope.ts';
import { tableOf } from './table.ts';

export interface AdmissionPolicyOptions extends Scope {
  /** Of the object. */
  readonly name: string;
  /** What becomes of a pod when an expression fails. */
  readonly failurePolicy: 'Ignore' | 'Fail';
}

export function exportAdmissionPolicy(policy: CompiledPolicy, options: AdmissionPolicyOptions): Exported {
  const table = tableOf(policy);
  const { name, failurePolicy } = options;
  const concern = concernCondition(table);
  const text = documentText({
    name,
    failurePolicy,
    guard: guardedNamespaces(options),
    conditions: [...scopeConditions(options, policy), ...(concern === null ? [] : [concern])],
    variables: [{ name: 'inScope', expression: inScope(options) }, ...decisionVariables(table), ...recordVariables(table)],
    patch: patchExpression(table, hasSecrets(table)),
    bindings: bindings(options),
  });
  const { refusals } = table;
  return { files: [{ path: `${name}.yaml`, text: `${head(policy, refusals.length > 0)}${text}` }], refusals };
}

function head({ revision }: CompiledPolicy, isPartial: boolean): string {
  const rest = isPartial ? '# It is a part of the policy. The webhook decides the rest: run it with the same policy file.\n' : '';
  return `${headLine('admission-policy')}
# It needs Kubernetes 1.36 or newer, where MutatingAdmissionPolicy is admissionregistration.k8s.io/v1. Revision of the policy: ${revision ?? 'none'}.
${rest}`;
}
