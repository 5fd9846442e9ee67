/**
 * A policy as a MutatingAdmissionPolicy: the API server itself decides as the webhook does.
 * https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/
 */
import type { V1MutatingAdmissionPolicySpec } from '@kubernetes/client-node';

import type { PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { headLine, refusal, type Exported } from '../exported.ts';
import { concernCondition } from './concern.ts';
import { decisionVariables } from './decision.ts';
import { documentText, policySpec, type PolicyDocument } from './document.ts';
import { maxExpression } from './entries.ts';
import { patchExpression, recordVariables } from './patch.ts';
import { bindings, guardedNamespaces, optedIn, scopeConditions, type Scope } from './scope.ts';
import { hasSecrets, tableOf, type TableOptions } from './table.ts';

export interface AdmissionPolicyOptions extends Scope, TableOptions {
  /** Of the object. */
  readonly name: string;
  /** What becomes of a pod when an expression fails. */
  readonly failurePolicy: 'Ignore' | 'Fail';
  /**
   * Whether pods that no rule concerns are passed over by a match condition. The API server does not ask such a policy again about a container
   * that others add later: it reinvokes those whose conditions held the first time (kubernetes/apiserver,
   * pkg/admission/plugin/policy/mutating/dispatcher.go).
   */
  readonly matchImages?: boolean;
}

const engine = { kind: 'MutatingAdmissionPolicy', evaluator: 'the API server' };

export interface AdmissionPolicy {
  /** What of the policy CEL can express; null where the API server would not take it. */
  readonly spec: V1MutatingAdmissionPolicySpec | null;
  readonly refusals: readonly PolicyProblem[];
}

/** The object that `exportAdmissionPolicy` prints. */
export function admissionPolicy(policy: CompiledPolicy, options: AdmissionPolicyOptions): AdmissionPolicy {
  const expressions = expressionsOf(policy, options);
  const tooLong = lengthRefusal(engine, expressions, documentText(expressions, bindings(options)));
  const { refusals } = expressions;
  return tooLong === null ? { spec: policySpec(expressions), refusals } : { spec: null, refusals: [...refusals, tooLong] };
}

export function exportAdmissionPolicy(policy: CompiledPolicy, options: AdmissionPolicyOptions): Exported {
  const expressions = expressionsOf(policy, options);
  const text = documentText(expressions, bindings(options));
  const head = (isPartial: boolean): string => `${headLine('admission-policy')}
# It needs Kubernetes 1.36 or newer, where MutatingAdmissionPolicy is admissionregistration.k8s.io/v1. ${revisionNote(policy)}
${isPartial ? partNote : ''}`;
  return exportedPolicy(engine, expressions, { head, text });
}

export interface Expressions extends PolicyDocument {
  readonly refusals: readonly PolicyProblem[];
}

/** Of the test that ends the evaluation for pods that no rule concerns, in characters: a longer one would not save much. */
const maxEarly = 20_000;

/** Of a match condition, in the file. */
const whileMatching = 'Containers that others add to such a pod later are left alone as well.';

/** What every engine evaluates that reads the CEL of Kubernetes. */
export function expressionsOf(policy: CompiledPolicy, options: AdmissionPolicyOptions): Expressions {
  const table = tableOf(policy, options);
  const { name, failurePolicy, matchImages = false } = options;
  const concern = concernCondition(table);
  const condition = matchImages && concern !== null ? { ...concern, comment: `${concern.comment} ${whileMatching}` } : null;
  const early = matchImages || concern === null || concern.expression.length > maxEarly ? [] : [{ ...concern, name: 'concerned' }];
  return {
    name,
    failurePolicy,
    guard: guardedNamespaces(options),
    conditions: [...scopeConditions(options, policy), ...(condition === null ? [] : [condition])],
    variables: [{ name: 'optedIn', expression: optedIn(options) }, ...early, ...decisionVariables(table), ...recordVariables(table)],
    patch: patchExpression(table, { hasSecrets: hasSecrets(table), isEarly: early.length > 0 }),
    refusals: table.refusals,
  };
}

interface Engine {
  readonly kind: string;
  /** Who reads the expressions, in errors. */
  readonly evaluator: string;
}

interface Text {
  readonly head: (isPartial: boolean) => string;
  readonly text: string;
}

/** The file, or why the objects cannot be stored. */
export function exportedPolicy(target: Engine, expressions: Expressions, { head, text }: Text): Exported {
  const { name, refusals } = expressions;
  const tooLong = lengthRefusal(target, expressions, text);
  if (tooLong !== null) return { files: [], refusals: [...refusals, tooLong] };
  return { files: [{ path: `${name}.yaml`, text: `${head(refusals.length > 0)}${text}` }], refusals };
}

function lengthRefusal({ kind, evaluator }: Engine, { conditions, variables }: Expressions, text: string): PolicyProblem | null {
  const refused = (what: string, length: number, limit: string): PolicyProblem => {
    const message = `the ${what} of the ${kind} would have ${length} characters, and ${limit}; use the webhook, or fewer patterns`;
    return refusal(['rules'], message);
  };
  const long = [...conditions, ...variables].find(({ expression }) => expression.length > maxExpression);
  if (long !== undefined) return refused(`expression ${long.name}`, long.expression.length, `${evaluator} takes 100,000`);
  return text.length > maxLength ? refused('object', text.length, 'etcd takes 1.5 MiB') : null;
}

/** In characters. etcd takes an object of 1.5 MiB: 8,000 rules of 1,800,000 characters were stored, 9,000 refused. */
const maxLength = 1_500_000;

export const partNote = '# It is a part of the policy. The webhook decides the rest: run it with the same policy file.\n';

export function revisionNote({ revision }: CompiledPolicy): string {
  return `Revision of the policy: ${revision ?? 'none'}.`;
}
