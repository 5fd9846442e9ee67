/** Policies written by hand that decide nothing: what the API server itself takes for the parts that a compiled policy cannot do without. */
import { literal } from '../src/export/admission-policy/cel.ts';

/** Of a MutatingAdmissionPolicy. */
export interface FloorPolicy {
  readonly reinvocationPolicy: 'Never' | 'IfNeeded';
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
  readonly mutations: readonly unknown[];
}

/** What a policy makes of a pod. */
export interface PodAnswer {
  readonly metadata: { readonly annotations: Readonly<Record<string, string>> };
  readonly spec: {
    readonly containers: readonly Container[];
    readonly initContainers: readonly Container[];
    readonly imagePullSecrets: readonly { readonly name: string }[];
  };
}

interface Container {
  readonly name: string;
  readonly image: string;
}

/** The least that a policy can do. */
export const constantMutation = {
  patchType: 'JSONPatch',
  jsonPatch: { expression: '[JSONPatch{op: "replace", path: "/spec/containers/0/image", value: "proxy.example.com/app:1"}]' },
};

export interface Floor {
  readonly name: string;
  readonly floor: FloorPolicy;
  /** Of pods that the policy does not change. */
  readonly images?: 'foreign';
}

/**
 * By namespace.
 *
 * @param changed what a compiled policy makes of a pod
 * @param conditions the last one is false for pods that need nothing, so that the policy is not evaluated a second time
 */
export function floorsOf(changed: PodAnswer, conditions: FloorPolicy['matchConditions']): Readonly<Record<string, Floor>> {
  const constantOnce = { reinvocationPolicy: 'Never', matchConditions: [], mutations: [constantMutation] } as const;
  const shapeOnce = { ...constantOnce, mutations: [patchOf(changed)] };
  const applied = applyConfigurationOf(changed);
  return {
    again: { name: 'a constant patch, reinvocationPolicy: IfNeeded', floor: { ...constantOnce, reinvocationPolicy: 'IfNeeded' } },
    condition: { name: 'a constant patch, one match condition', floor: { ...constantOnce, matchConditions: [always] } },
    conditions: { name: 'a constant patch, the match conditions', floor: { ...constantOnce, matchConditions: conditions } },
    'conditions-again': {
      name: 'a constant patch, the match conditions, IfNeeded',
      floor: { ...constantOnce, reinvocationPolicy: 'IfNeeded', matchConditions: conditions },
    },
    shape: { name: 'the patch as constants', floor: shapeOnce },
    apply: { name: 'the patch as constants, ApplyConfiguration, without pull secrets', floor: { ...constantOnce, mutations: [applied] } },
    both: {
      name: 'the patch as constants, ApplyConfiguration, and JSONPatch for pull secrets',
      floor: { ...constantOnce, mutations: [applied, pullSecretsPatchOf(changed)] },
    },
    'shape-again': {
      name: 'the patch as constants, the match conditions, IfNeeded',
      floor: { ...shapeOnce, reinvocationPolicy: 'IfNeeded', matchConditions: conditions },
    },
    never: { name: 'one match condition that is false', floor: { ...constantOnce, matchConditions: [never] }, images: 'foreign' },
    unconcerned: { name: 'the match conditions, unconcerned', floor: { ...constantOnce, matchConditions: conditions }, images: 'foreign' },
  };
}

const always = { name: 'always', expression: 'request.operation == "CREATE"' };
const never = { name: 'never', expression: 'request.operation != "CREATE"' };

/** Makes that of the pod, as constants. The pod had neither annotations nor pull secrets. */
function patchOf({ metadata, spec }: PodAnswer): unknown {
  const images = (['containers', 'initContainers'] as const).flatMap((list) =>
    spec[list].map(({ image }, index) => operation('replace', `/spec/${list}/${index}/image`, literal(image))),
  );
  return jsonPatch([
    ...images,
    pullSecretsOperation(spec),
    operation('add', '/metadata/annotations', '{}'),
    ...Object.entries(metadata.annotations).map(([name, value]) =>
      operation('add', `/metadata/annotations/${name.replace('/', '~1')}`, literal(value)),
    ),
  ]);
}

/** The same without the pull secrets, which are an atomic list there: https://github.com/kubernetes/kubernetes, applyconfigurations/internal. */
function applyConfigurationOf({ metadata, spec }: PodAnswer): unknown {
  const listOf = (list: 'containers' | 'initContainers'): string =>
    `${list}: [${spec[list].map(({ name, image }) => `Object.spec.${list}{name: ${literal(name)}, image: ${literal(image)}}`).join(', ')}]`;
  const annotations = Object.entries(metadata.annotations).map(([name, value]) => `${literal(name)}: ${literal(value)}`);
  const expression = `Object{metadata: Object.metadata{annotations: {${annotations.join(', ')}}}, spec: Object.spec{${listOf('containers')}, ${listOf('initContainers')}}}`;
  return { patchType: 'ApplyConfiguration', applyConfiguration: { expression } };
}

/** What `applyConfigurationOf` cannot add. */
function pullSecretsPatchOf({ spec }: PodAnswer): unknown {
  return jsonPatch([pullSecretsOperation(spec)]);
}

function pullSecretsOperation({ imagePullSecrets }: PodAnswer['spec']): string {
  return operation('add', '/spec/imagePullSecrets', `[${imagePullSecrets.map(({ name }) => `{"name": ${literal(name)}}`).join(', ')}]`);
}

function jsonPatch(operations: readonly string[]): unknown {
  return { patchType: 'JSONPatch', jsonPatch: { expression: `[\n  ${operations.join(',\n  ')}\n]` } };
}

function operation(op: string, path: string, value: string): string {
  return `JSONPatch{op: "${op}", path: "${path}", value: ${value}}`;
}
