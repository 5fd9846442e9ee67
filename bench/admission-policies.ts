/** MutatingAdmissionPolicies for the pods of one namespace. */
import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { parseAllDocuments } from 'yaml';
import { policySchema } from '../src/config/schema.ts';
import { concernCondition } from '../src/export/admission-policy/concern.ts';
import { scopeConditions } from '../src/export/admission-policy/scope.ts';
import { tableOf } from '../src/export/admission-policy/table.ts';
import { rewriteLabel } from '../src/pod/labels.ts';
import { compilePolicy } from '../src/rules/compile.ts';
import type { ControlPlane } from '../test/cluster/control-plane.ts';
import { constantMutation, type FloorPolicy } from './floor-policies.ts';
import { untilRewritten } from './registration.ts';
import type { Built } from './subject.ts';

const group = '/apis/admissionregistration.k8s.io/v1';
const resources = {
  MutatingAdmissionPolicy: 'mutatingadmissionpolicies',
  MutatingAdmissionPolicyBinding: 'mutatingadmissionpolicybindings',
} as const;

interface PolicyObject {
  readonly kind: keyof typeof resources;
}

export interface CompiledWish {
  /** Also the name of the policy, and the value that opts in. */
  readonly namespace: string;
  readonly subject: Built;
  readonly policyFile: string;
  /** Whether pods that no rule concerns are passed over. */
  readonly matchImages: boolean;
}

/** The policy as the subject's `transship export` prints it. */
export async function enforceCompiled(plane: ControlPlane, { namespace, subject, policyFile, matchImages }: CompiledWish): Promise<void> {
  const flags = [
    '--policy',
    policyFile,
    '--policy-name',
    namespace,
    '--opt-in-value',
    namespace,
    '--failure-policy',
    'Fail',
    ...(matchImages ? ['--match-images'] : []),
  ];
  const { stdout } = await promisify(execFile)(process.execPath, [subject.main, 'export', 'admission-policy', ...flags], {
    maxBuffer: 2 ** 24,
  });
  await enforce(
    plane,
    namespace,
    parseAllDocuments(stdout).map((document) => document.toJS() as PolicyObject),
  );
  await untilRewritten(plane, namespace);
}

/** One operation, without conditions: the least that a policy can do. */
export async function enforceConstant(plane: ControlPlane, namespace: string): Promise<void> {
  await enforceFloor(plane, namespace, { reinvocationPolicy: 'Never', matchConditions: [], mutations: [constantMutation] });
  await untilRewritten(plane, namespace);
}

export async function enforceFloor(plane: ControlPlane, namespace: string, floor: FloorPolicy): Promise<void> {
  const policy = {
    kind: 'MutatingAdmissionPolicy',
    metadata: { name: namespace },
    spec: {
      failurePolicy: 'Fail',
      matchConstraints: {
        namespaceSelector: { matchLabels: { [rewriteLabel]: namespace } },
        resourceRules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'], scope: 'Namespaced' }],
      },
      ...floor,
    },
  } as const;
  const binding = { kind: 'MutatingAdmissionPolicyBinding', metadata: { name: namespace }, spec: { policyName: namespace } } as const;
  await enforce(plane, namespace, [policy, binding]);
}

/** Those of the webhook of the chart; with `isFiltered` also the one by which pods are passed over that no rule concerns. */
export function webhookConditions(policy: unknown, isFiltered: boolean): readonly { readonly name: string; readonly expression: string }[] {
  const compiled = compilePolicy(policySchema.parse(policy));
  const concern = isFiltered ? concernCondition(tableOf(compiled)) : null;
  return [...scopeConditions(scope, compiled), ...(concern === null ? [] : [concern])].map(({ name, expression }) => ({
    name,
    expression,
  }));
}

const scope = {
  optIn: 'OptIn',
  optInValue: 'enabled',
  shadowValue: 'shadow',
  otherValues: [],
  excludedNamespaces: [],
  matchConditions: [],
} as const;

async function enforce(plane: ControlPlane, namespace: string, objects: readonly PolicyObject[]): Promise<void> {
  await plane.createNamespace(namespace, { [rewriteLabel]: namespace });
  for (const object of objects) {
    const { status, body } = await plane.api.send('POST', `${group}/${resources[object.kind]}`, object);
    if (status !== 201) throw new Error(`the API server refuses the ${object.kind}: ${JSON.stringify(body).slice(0, 500)}`);
  }
}
