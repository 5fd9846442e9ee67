/** Who is rewritten: the table of docs/guides/opt-in.md, for the selectors alone and for the real API server. */
export const optInLabel = 'transship.dev/rewrite';

export type Mode = 'enforce' | 'shadow' | undefined;
export type PolicyMode = 'OptIn' | 'OptOut';

/** `other` stands for a value that means nothing: it counts as no label. */
export const labelValues = [undefined, 'enabled', 'shadow', 'disabled', 'other'] as const;
export type LabelValue = (typeof labelValues)[number];

/** By the namespace's label, when the pod has none. */
const byNamespace: Record<PolicyMode, (label: LabelValue) => Mode> = {
  OptIn: (label) =>
    ({ enabled: 'enforce', shadow: 'shadow', disabled: undefined, other: undefined, none: undefined })[label ?? 'none'] as Mode,
  OptOut: (label) =>
    ({ enabled: 'enforce', shadow: 'shadow', disabled: undefined, other: 'enforce', none: 'enforce' })[label ?? 'none'] as Mode,
};

/** The pod's label wins wherever it means something. */
export function expectedMode(policy: PolicyMode, namespace: LabelValue, pod: LabelValue): Mode {
  if (pod === 'enabled') return 'enforce';
  if (pod === 'shadow') return 'shadow';
  return pod === 'disabled' ? undefined : byNamespace[policy](namespace);
}

export const labelled = (value: LabelValue): Record<string, string> => (value === undefined ? {} : { [optInLabel]: value });
