/** Label selectors as Kubernetes evaluates them. https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#label-selectors */
import type { LabelRequirement, LabelSelector } from './types.ts';

type Labels = Readonly<Record<string, string>>;

export function matchesSelector(selector: LabelSelector, labels: Labels): boolean {
  return meets(requirementsOf(selector), labels);
}

/** The selector as one list, for repeated evaluation. */
export function requirementsOf({ matchLabels = {}, matchExpressions = [] }: LabelSelector): readonly LabelRequirement[] {
  const equal = Object.entries(matchLabels).map(([key, value]): LabelRequirement => ({ key, operator: 'In', values: [value] }));
  return [...equal, ...matchExpressions];
}

export function meets(requirements: readonly LabelRequirement[], labels: Labels): boolean {
  return requirements.every((requirement) => isMet(requirement, labels));
}

/** `NotIn` also matches an object without the label. */
function isMet({ key, operator, values = [] }: LabelRequirement, labels: Labels): boolean {
  const value = labelOf(labels, key);
  switch (operator) {
    case 'In':
      return value !== undefined && values.includes(value);
    case 'NotIn':
      return value === undefined || !values.includes(value);
    case 'Exists':
      return value !== undefined;
    case 'DoesNotExist':
      return value === undefined;
  }
}

const labelOf = (labels: Labels, key: string): string | undefined => (Object.hasOwn(labels, key) ? labels[key] : undefined);
