/** The objects as YAML, for people to read: expressions as they are, with comments. And the policy as the API has it. */
import type { V1MutatingAdmissionPolicySpec, V1NamedRuleWithOperations } from '@kubernetes/client-node';

import { asciiJson } from '../../pod/records.ts';
import { commentText, indented } from './cel.ts';
import type { Variable } from './entries.ts';
import type { Binding, Condition, Requirement } from './scope.ts';

export interface PolicyDocument {
  readonly name: string;
  readonly failurePolicy: string;
  readonly guard: Requirement;
  readonly conditions: readonly Condition[];
  readonly variables: readonly Variable[];
  readonly patch: string;
}

const resourceRules = [
  { apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE', 'UPDATE'], resources: ['pods'], scope: 'Namespaced' },
  { apiGroups: [''], apiVersions: ['v1'], operations: ['UPDATE'], resources: ['pods/ephemeralcontainers'], scope: 'Namespaced' },
] satisfies V1NamedRuleWithOperations[];

/** What the text says, without its comments. */
export function policySpec({ failurePolicy, guard, conditions, variables, patch }: PolicyDocument): V1MutatingAdmissionPolicySpec {
  return {
    failurePolicy,
    reinvocationPolicy: 'IfNeeded',
    matchConstraints: {
      matchPolicy: 'Equivalent',
      namespaceSelector: { matchExpressions: [{ ...guard, values: [...guard.values] }] },
      resourceRules,
    },
    matchConditions: conditions.map(withoutComment),
    variables: variables.map(withoutComment),
    mutations: [{ patchType: 'JSONPatch', jsonPatch: { expression: patch } }],
  };
}

function withoutComment({ name, expression }: Condition | Variable): { name: string; expression: string } {
  return { name, expression };
}

export function documentText(document: PolicyDocument, bindings: readonly Binding[]): string {
  const policy = policyText({ apiVersion: 'admissionregistration.k8s.io/v1', kind: 'MutatingAdmissionPolicy', settings: '' }, document);
  return [policy, ...bindings.map((binding) => bindingText(document.name, binding))].join('---\n');
}

interface PolicyKind {
  readonly apiVersion: string;
  readonly kind: string;
  /** Lines of the spec that only this kind has. */
  readonly settings: string;
}

export function policyText({ apiVersion, kind, settings }: PolicyKind, document: PolicyDocument): string {
  const { name, failurePolicy, guard, conditions, variables, patch } = document;
  return `apiVersion: ${apiVersion}
kind: ${kind}
metadata:
  name: ${JSON.stringify(name)}
spec:
  failurePolicy: ${failurePolicy}
  # Once more after another policy or webhook has changed the pod: it may have added a container.
  reinvocationPolicy: IfNeeded
${settings}  matchConstraints:
    matchPolicy: Equivalent
    namespaceSelector:
      matchExpressions:
        ${requirement(guard)}
    resourceRules:
${resourceRules.map(({ operations, resources }) => `      - { apiGroups: [""], apiVersions: [v1], operations: [${operations.join(', ')}], resources: [${resources.join(', ')}], scope: Namespaced }\n`).join('')}  matchConditions:
${conditions.map(namedExpression).join('')}  variables:
${variables.map(namedExpression).join('')}  mutations:
    - patchType: JSONPatch
      jsonPatch:
        expression: |-
${indented(patch, ' '.repeat(10))}
`;
}

function namedExpression({ name, comment, expression }: Condition | Variable): string {
  const head = comment === undefined ? '' : `    # ${commentText(comment)}\n`;
  return `${head}    - name: ${scalar(name)}\n      expression: ${block(expression, ' '.repeat(8))}\n`;
}

/** A plain text of YAML 1.1, which Kubernetes reads, would else be a number, a truth value or null. */
function scalar(text: string): string {
  const isPlain = /^[A-Za-z][A-Za-z0-9_./-]*$/.test(text) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(text);
  return isPlain ? text : asciiJson(text);
}

/** Lines as they are, for people to read. Conditions of a user may have what YAML would read otherwise: white space at an end, and other line breaks. */
function block(text: string, indent: string): string {
  const isPlain = /^\S(?:[^\p{C}\p{Zl}\p{Zp}]|\n)*$/u.test(text) && !text.endsWith('\n');
  return isPlain ? `|-\n${indented(text, indent)}` : asciiJson(text);
}

function bindingText(policy: string, { name, comment, namespaces, pods }: Binding): string {
  const selector = namespaces === null ? '' : `    namespaceSelector:\n      matchExpressions:\n        ${requirement(namespaces)}\n`;
  return `# ${comment}
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata:
  name: ${JSON.stringify(`${policy}-${name}`)}
spec:
  policyName: ${JSON.stringify(policy)}
  matchResources:
    matchPolicy: Equivalent
${selector}    objectSelector:
      matchExpressions:
        ${requirement(pods)}
`;
}

function requirement({ key, operator, values }: Requirement): string {
  return `- { key: ${key}, operator: ${operator}, values: ${JSON.stringify(values)} }`;
}
