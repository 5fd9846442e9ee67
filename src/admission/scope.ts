/**
 * Which requests are none of our business. The webhook's selectors keep most of them away; they are refused here too, because a
 * configuration can be edited and a pod that must not be touched must not depend on it.
 */
import { mirrorAnnotation, rewriteLabel } from '../pod/pod.ts';
import type { Question } from './review.ts';

/** Kubernetes' own namespaces: a cluster must come up without this webhook. */
export const systemNamespaces: readonly string[] = ['kube-system', 'kube-public', 'kube-node-lease'];

/**
 * Operators that compare the image of a pod with the one they asked for, and recreate the pod when it differs: rewriting such a
 * pod would make it restart for ever. By name, the label that marks their pods.
 */
export const comparingOperators: Readonly<Record<string, string>> = {
  // CloudNativePG checks each instance's image against its Cluster: https://cloudnative-pg.io/documentation/current/rolling_update/
  'cloudnative-pg': 'cnpg.io/cluster',
};

/** Keys of the labels that `reasonToSkip` asks for. */
export const scopeLabels: readonly string[] = [rewriteLabel, ...Object.values(comparingOperators)];

export interface Scope {
  /** The namespace that this program runs in, never touched; null outside a cluster. */
  readonly releaseNamespace: string | null;
  /** Keys of `comparingOperators` whose pods are left alone. */
  readonly excludedOperators: readonly string[];
}

/** Why the request is left alone as a whole, null when its images are to be decided. */
export function reasonToSkip(review: Question, scope: Scope): string | null {
  if (review.resource !== 'pods') return `${review.resource || 'the resource'} is not pods`;
  if (review.operation !== 'CREATE' && review.operation !== 'UPDATE') return `${review.operation} changes no image`;
  if (review.subResource !== '' && review.subResource !== 'ephemeralcontainers') return `pods/${review.subResource} changes no image`;
  if (review.operation === 'UPDATE' && review.oldPod === null) return 'an UPDATE without oldObject cannot be compared';
  if (systemNamespaces.includes(review.namespace)) return `namespace ${review.namespace} belongs to Kubernetes`;
  if (scope.releaseNamespace !== null && review.namespace === scope.releaseNamespace)
    return `namespace ${review.namespace} is that of transship itself`;
  return reasonOfPod(review, scope);
}

function reasonOfPod({ pod }: Pick<Question, 'pod'>, scope: Scope): string | null {
  if (pod.annotations !== null && Object.hasOwn(pod.annotations, mirrorAnnotation))
    return 'it is a mirror pod; the kubelet runs it from a file';
  if (Object.hasOwn(pod.labels, rewriteLabel) && pod.labels[rewriteLabel] === 'disabled')
    return `the pod has the label ${rewriteLabel}: disabled`;
  const operator = scope.excludedOperators.find((name) => isManagedBy(name, pod.labels));
  return operator === undefined ? null : `the pod is managed by ${operator}, which would recreate it with the image it asked for`;
}

function isManagedBy(operator: string, labels: Readonly<Record<string, string>>): boolean {
  const label = Object.hasOwn(comparingOperators, operator) ? comparingOperators[operator] : undefined;
  return label !== undefined && Object.hasOwn(labels, label);
}
