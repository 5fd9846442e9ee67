/** Label selectors as Kubernetes evaluates them. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
import type { V1LabelSelector, V1LabelSelectorRequirement, V1MutatingWebhook } from '@kubernetes/client-node';

export type Labels = Readonly<Record<string, string>>;

export const selects = (selector: V1LabelSelector | undefined, labels: Labels): boolean =>
  Object.entries(selector?.matchLabels ?? {}).every(([key, value]) => labels[key] === value) &&
  (selector?.matchExpressions ?? []).every((requirement) => meets(requirement, labels[requirement.key]));

function meets({ operator, values = [] }: V1LabelSelectorRequirement, value: string | undefined): boolean {
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      // An absent label is in no list.
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
    default:
      throw new Error(`${operator} is no operator of a label selector`);
  }
}

/** Both selectors must hold. The API server sets the namespace's own name as a label. */
export const reaches = (webhook: V1MutatingWebhook, namespace: { name: string; labels: Labels }, pod: Labels): boolean =>
  selects(webhook.namespaceSelector, { ...namespace.labels, 'kubernetes.io/metadata.name': namespace.name }) &&
  selects(webhook.objectSelector, pod);
