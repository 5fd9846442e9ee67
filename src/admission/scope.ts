/**
 * Requests that are skipped as a whole. The webhook's selectors exclude most of them. They are checked here too, because the configuration
 * can be edited, and these pods must be left alone regardless.
 */
import { optOutValue, rewriteLabel } from '../pod/labels.ts';
import type { PodContent } from '../pod/pod.ts';
import { meets } from '../policy/label-selector.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { DecisionInput } from './review.ts';

/** Kubernetes' own namespaces: a cluster must start without this webhook. */
export const systemNamespaces: readonly string[] = ['kube-system', 'kube-public', 'kube-node-lease'];

/** Keys of the labels that `reasonToSkip` reads. */
export function scopeLabels({ imageManagers }: CompiledPolicy): readonly string[] {
  return [rewriteLabel, ...imageManagers.flatMap(({ requirements }) => requirements.map(({ key }) => key))];
}

export interface Scope {
  /** The namespace of this program, always skipped; null outside a cluster. */
  readonly releaseNamespace: string | null;
}

/** Why a request is skipped as a whole. The code is for metrics and logs, the meaning for the documentation. */
export const skipCodes = {
  'not-pods': 'the request is about another resource',
  operation: 'neither CREATE nor UPDATE',
  subresource: 'a subresource that changes no image',
  'no-old-object': 'an UPDATE without `oldObject`',
  'system-namespace': 'kube-system, kube-public or kube-node-lease',
  'release-namespace': 'the namespace of transship itself',
  'mirror-pod': 'a mirror pod: the kubelet runs it from a file',
  'opted-out': 'the pod has the label `transship.dev/rewrite: disabled`',
  'image-manager': 'an operator manages the images of the pod',
  'too-large':
    'the pod has more containers, volumes, pull secrets or annotations than a valid one can have, or the answer would be more than twice as long as the review',
} as const;
export type SkipCode = keyof typeof skipCodes;

export interface SkipReason {
  readonly code: SkipCode;
  /** A clause for people about this request. */
  readonly sentence: string;
}

function skip(code: SkipCode, sentence: string): SkipReason {
  return { code, sentence };
}

/** Null if the images of the request are to be decided. */
export function reasonToSkip(review: DecisionInput, policy: CompiledPolicy, scope: Scope): SkipReason | null {
  const { resource, operation, subResource, namespace } = review;
  if (resource !== 'pods') return skip('not-pods', `${resource || 'the resource'} is not pods`);
  if (operation !== 'CREATE' && operation !== 'UPDATE') return skip('operation', `${operation} changes no image`);
  if (subResource !== '' && subResource !== 'ephemeralcontainers') return skip('subresource', `pods/${subResource} changes no image`);
  if (operation === 'UPDATE' && review.oldPod === null) return skip('no-old-object', 'an UPDATE without oldObject cannot be compared');
  if (systemNamespaces.includes(namespace)) return skip('system-namespace', `namespace ${namespace} belongs to Kubernetes`);
  if (scope.releaseNamespace !== null && namespace === scope.releaseNamespace)
    return skip('release-namespace', `namespace ${namespace} is that of transship itself`);
  return reasonOfPod(review.pod, policy);
}

function reasonOfPod(pod: PodContent, { imageManagers }: CompiledPolicy): SkipReason | null {
  if (pod.excess !== null) return skip('too-large', `the pod has more than ${pod.excess}`);
  if (pod.annotations.isMirror) return skip('mirror-pod', 'it is a mirror pod; the kubelet runs it from a file');
  if (Object.hasOwn(pod.labels, rewriteLabel) && pod.labels[rewriteLabel] === optOutValue)
    return skip('opted-out', `the pod has the label ${rewriteLabel}: disabled`);
  const manager = imageManagers.find(({ exclude, requirements }) => exclude && meets(requirements, pod.labels));
  return manager === undefined
    ? null
    : skip('image-manager', `the pod is managed by ${manager.name}, which would recreate it with the image it asked for`);
}

/** An operator that manages the images of the pod, but whose pods the policy rewrites; null if none. */
export function rewrittenManager(pod: PodContent, { imageManagers }: CompiledPolicy): string | null {
  return imageManagers.find(({ exclude, requirements }) => !exclude && meets(requirements, pod.labels))?.name ?? null;
}
