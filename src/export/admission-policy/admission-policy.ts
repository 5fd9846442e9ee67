/**
 * A policy as a MutatingAdmissionPolicy: the API server itself decides as the webhook does.
 * https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
import { problem, type PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { headLine, type Exported } from '../exported.ts';
import { concernCondition } from './concern.ts';
import { decisionVariables, hasSecrets } from './decision.ts';
import { documentText } from './document.ts';
import { maxExpression } from './entries.ts';
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
  const conditions = [...scopeConditions(options, policy), ...(concern === null ? [] : [concern])];
  const variables = [{ name: 'inScope', expression: inScope(options) }, ...decisionVariables(table), ...recordVariables(table)];
  const patch = patchExpression(table, hasSecrets(table));
  const guard = guardedNamespaces(options);
  const text = documentText({ name, failurePolicy, guard, conditions, variables, patch, bindings: bindings(options) });
  const { refusals } = table;
  const long = [...conditions, ...variables].find(({ expression }) => expression.length > maxExpression);
  if (long !== undefined)
    return {
      files: [],
      refusals: [...refusals, tooLong(`expression ${long.name}`, long.expression.length, 'the API server takes 100,000')],
    };
  if (text.length > maxLength) return { files: [], refusals: [...refusals, tooLong('object', text.length, 'etcd takes 1.5 MiB')] };
  return { files: [{ path: `${name}.yaml`, text: `${head(policy, refusals.length > 0)}${text}` }], refusals };
}

/** In characters. etcd takes an object of 1.5 MiB: 8,000 rules of 1,800,000 characters were stored, 9,000 refused. */
const maxLength = 1_500_000;

function tooLong(what: string, length: number, limit: string): PolicyProblem {
  const message = `the ${what} of the MutatingAdmissionPolicy would have ${length} characters, and ${limit}; use the webhook, or fewer patterns`;
  return problem('not-exported', ['rules'], message);
}

function head({ revision }: CompiledPolicy, isPartial: boolean): string {
  const rest = isPartial ? '# It is a part of the policy. The webhook decides the rest: run it with the same policy file.\n' : '';
  return `${headLine('admission-policy')}
# It needs Kubernetes 1.36 or newer, where MutatingAdmissionPolicy is admissionregistration.k8s.io/v1. Revision of the policy: ${revision ?? 'none'}.
${rest}`;
}
