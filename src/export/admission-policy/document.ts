/** The objects as YAML, for people to read: expressions as they are, with comments. And the policy as the API has it. */
import type { V1MutatingAdmissionPolicySpec, V1NamedRuleWithOperations } from '@kubernetes/client-node';

import { indented } from './cel.ts';
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
  const head = comment === undefined ? '' : `    # ${comment}\n`;
  return `${head}    - name: ${plainOrQuoted(name)}\n      expression: |-\n${indented(expression, ' '.repeat(8))}\n`;
}

/** A name of a match condition may be a number or a truth value in YAML. */
function plainOrQuoted(name: string): string {
  return /^[a-z]\w*(?:-\w+)*$/i.test(name) && !/^(?:y|n|yes|no|on|off|true|false|null)$/i.test(name) ? name : JSON.stringify(name);
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
