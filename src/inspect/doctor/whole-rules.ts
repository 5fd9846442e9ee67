/** What a webhook, or an admission policy, is asked about. */

interface ResourceRule {
  readonly resources?: readonly string[] | undefined;
  readonly operations?: readonly string[] | undefined;
}

/** Whether every create of a pod, and every change of one, is in it. */
export function isWhole(rules: readonly ResourceRule[] = []): boolean {
  const ofPods = rules.filter(({ resources = [] }) => resources.includes('pods'));
  return ['CREATE', 'UPDATE'].every((operation) => ofPods.some(({ operations = [] }) => operations.includes(operation)));
}
