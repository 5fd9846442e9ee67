/** The MutatingAdmissionPolicy that a policy asks for, and whether one in the cluster is it. Pure. */
import type { KubernetesObject, V1MutatingAdmissionPolicy, V1MutatingAdmissionPolicySpec } from '@kubernetes/client-node';

import { managedBy, managedByLabel } from '../../cluster/copy-labels.ts';
import { admissionPolicy, type AdmissionPolicyOptions } from '../../export/admission-policy/admission-policy.ts';
import { optOutValue } from '../../pod/labels.ts';
import type { PolicyProblem } from '../../policy/problem.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import type { ControllerOptions } from '../options.ts';

export const apiVersion = 'admissionregistration.k8s.io/v1';
/** The revision that the object was compiled from, as in the records on pods. */
export const revisionAnnotation = 'transship.dev/revision';

/** Name of the binding that the chart renders, and that owns the policy. */
export const bindingName = ({ admissionPolicy: { name } }: Pick<ControllerOptions, 'admissionPolicy'>): string => `${name}-namespaces`;

type ScopeOptions = Pick<
  ControllerOptions,
  'namespace' | 'optIn' | 'optInValues' | 'optOutValues' | 'excludedNamespaces' | 'admissionPolicy'
>;

/** As the chart says it to the webhook. */
export function scopeOf(options: ScopeOptions): AdmissionPolicyOptions {
  const { name, shadowValue, failurePolicy, matchConditions } = options.admissionPolicy;
  const optInValue = options.optInValues.find((value) => value !== shadowValue) ?? '';
  return {
    name,
    failurePolicy,
    optIn: options.optIn,
    optInValue,
    shadowValue,
    otherValues: options.optOutValues.filter((value) => value !== optOutValue),
    excludedNamespaces: [options.namespace, ...options.excludedNamespaces],
    matchConditions,
    followsHosts: true,
  };
}

export interface RenderedPolicy {
  /** Null for a policy that is refused: the object in the cluster stays as it is. */
  readonly spec: V1MutatingAdmissionPolicySpec | null;
  /** What CEL cannot express: why the policy is refused, or what is left to the webhook. */
  readonly refusals: readonly PolicyProblem[];
}

export function renderPolicy(policy: CompiledPolicy, options: ScopeOptions): RenderedPolicy {
  const { spec, refusals } = admissionPolicy(policy, scopeOf(options));
  return { spec: refusals.length > 0 && !options.admissionPolicy.partial ? null : spec, refusals };
}

export type WantedObject = V1MutatingAdmissionPolicy & { readonly spec: V1MutatingAdmissionPolicySpec };

export interface WantedPolicy {
  readonly spec: V1MutatingAdmissionPolicySpec;
  readonly revision: string;
}

/** What a controller wrote to an object; null for one that is not of a controller. */
export function writtenPolicy({ metadata, spec }: V1MutatingAdmissionPolicy): WantedPolicy | null {
  const revision = metadata?.annotations?.[revisionAnnotation];
  return metadata?.labels?.[managedByLabel] === managedBy && revision !== undefined && spec !== undefined ? { spec, revision } : null;
}

/** @param binding its owner: when the release no longer has it, the garbage collector removes the policy */
export function policyObject(
  { spec, revision }: WantedPolicy,
  { admissionPolicy: { name } }: Pick<ControllerOptions, 'admissionPolicy'>,
  binding: KubernetesObject,
): WantedObject {
  const { name: owner = '', uid = '' } = binding.metadata ?? {};
  return {
    apiVersion,
    kind: 'MutatingAdmissionPolicy',
    metadata: {
      name,
      labels: { [managedByLabel]: managedBy },
      annotations: { [revisionAnnotation]: revision },
      ownerReferences: [{ apiVersion, kind: 'MutatingAdmissionPolicyBinding', name: owner, uid }],
    },
    spec,
  };
}

/**
 * A JSON merge patch (RFC 7386) that makes a spec what is wanted: lists as a whole, and null for what would narrow the policy. An apply
 * keeps what others added.
 */
export function specPatch(spec: V1MutatingAdmissionPolicySpec): object {
  const { matchConstraints, ...rest } = spec;
  return {
    paramKind: null,
    ...rest,
    matchConstraints: Object.assign({ excludeResourceRules: null, objectSelector: null }, matchConstraints, {
      namespaceSelector: Object.assign({ matchLabels: null }, matchConstraints?.namespaceSelector),
    }),
  };
}

/** Equal where the same is written again: the spec follows from the revision. */
export function signatureOf({ metadata }: WantedObject): string {
  return JSON.stringify([metadata?.annotations, metadata?.ownerReferences]);
}

/** `additions`: it has all that is wanted, and others added to it, which no apply removes. Metadata of others are theirs. */
export type Difference = 'none' | 'additions' | 'other';

export function differenceOf(present: V1MutatingAdmissionPolicy, { metadata, spec }: WantedObject): Difference {
  const { labels, annotations, ownerReferences = [] } = metadata ?? {};
  const owners = present.metadata?.ownerReferences ?? [];
  if (!agrees(present.metadata, { labels, annotations }) || !ownerReferences.every(({ uid }) => owners.some((owner) => owner.uid === uid)))
    return 'other';
  if (agrees(present.spec, specPatch(spec))) return 'none';
  return agrees(present.spec, spec, true) ? 'additions' : 'other';
}

/** Whether a merge patch would change nothing. @param allowsMore whether lists may have further entries */
function agrees(value: unknown, patch: unknown, allowsMore = false): boolean {
  if (patch === null) return isEmpty(value);
  if (Array.isArray(patch)) {
    if (!Array.isArray(value)) return false;
    if (!allowsMore) return value.length === patch.length && patch.every((entry, index) => agrees(value[index], entry));
    return patch.every((entry) => value.some((candidate) => agrees(candidate, entry)));
  }
  if (typeof patch !== 'object') return value === patch;
  if (typeof value !== 'object' || value === null) return false;
  return Object.entries(patch).every(([key, part]) => part === undefined || agrees(Reflect.get(value, key), part, allowsMore));
}

/** The API server fills in empty selectors. */
function isEmpty(value: unknown): boolean {
  return value === undefined || value === null || (typeof value === 'object' && Object.values(value).every(isEmpty));
}
