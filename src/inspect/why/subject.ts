/** What `why` was asked about: a pod, or the newest pod of a workload. */
import type { V1LabelSelector, V1ObjectMeta, V1Pod } from '@kubernetes/client-node';
import { OperatorError } from '../../errors/operator-error.ts';
import { rewriteLabel } from '../../pod/labels.ts';
import type { ClusterView } from '../view.ts';

export interface Subject {
  readonly pod: V1Pod;
  /** The workload that was named; null for a pod. */
  readonly workload: Workload | null;
}

export interface Workload {
  /** As kubectl takes it: `deployment`. */
  readonly kind: string;
  readonly metadata?: V1ObjectMeta | undefined;
  readonly spec?: WorkloadSpec | undefined;
}

interface WorkloadSpec {
  readonly selector?: V1LabelSelector;
  readonly template?: { readonly metadata?: Pick<V1ObjectMeta, 'labels' | 'annotations'> };
}

/** By the names and short names that kubectl takes. */
const kinds: Readonly<Record<string, { readonly path: string; readonly names: readonly string[] }>> = {
  pod: { path: '/api/v1', names: ['pods', 'po'] },
  deployment: { path: '/apis/apps/v1', names: ['deployments', 'deploy'] },
  replicaset: { path: '/apis/apps/v1', names: ['replicasets', 'rs'] },
  statefulset: { path: '/apis/apps/v1', names: ['statefulsets', 'sts'] },
  daemonset: { path: '/apis/apps/v1', names: ['daemonsets', 'ds'] },
  job: { path: '/apis/batch/v1', names: ['jobs'] },
};

/** @throws OperatorError (USAGE) for a kind that has no pods of its own, or a name without one */
export function parseSubject(text: string): { readonly kind: string; readonly name: string } {
  const [word = '', name = '', more] = text.split('/');
  const kind = Object.entries(kinds).find(
    ([singular, { names }]) => singular === word.toLowerCase() || names.includes(word.toLowerCase()),
  )?.[0];
  if (kind === undefined || name === '' || more !== undefined)
    throw new OperatorError(
      'USAGE',
      `${JSON.stringify(text)} is not one of ${Object.keys(kinds).join(', ')}, a slash and a name`,
      'write it as pod/NAME or deployment/NAME',
    );
  return { kind, name };
}

/**
 * @returns null when it may not be read, which the view has kept
 * @throws OperatorError when it does not exist, or the workload has no pod
 */
export async function findSubject(
  view: ClusterView,
  namespace: string,
  { kind, name }: ReturnType<typeof parseSubject>,
): Promise<Subject | null> {
  const path = kinds[kind]?.path ?? '';
  const found = await view.get<V1Pod & Omit<Workload, 'kind'>>(
    `${path}/namespaces/${namespace}/${kind}s/${name}`,
    `${kind} ${name} in namespace ${namespace}`,
  );
  if (found === null) return null;
  if (found === undefined)
    throw new OperatorError(
      'OBJECT_NOT_FOUND',
      `there is no ${kind} ${name} in namespace ${namespace}`,
      'check the name, and name its namespace with -n',
    );
  if (kind === 'pod') return { pod: found, workload: null };
  const pods = await view.list<V1Pod>(`/api/v1/namespaces/${namespace}/pods`, `pods in namespace ${namespace}`, {
    labelSelector: selectorText(found.spec?.selector),
  });
  if (pods === null) return null;
  const [newest] = pods.toSorted((a, b) => ageOf(b) - ageOf(a));
  if (newest === undefined)
    throw new OperatorError(
      'OBJECT_NOT_FOUND',
      `${kind} ${name} has no pod`,
      `kubectl describe ${kind} ${name} --namespace ${namespace} says why`,
    );
  return { pod: newest, workload: { kind, metadata: found.metadata, spec: found.spec } };
}

function ageOf({ metadata }: V1Pod): number {
  return new Date(metadata?.creationTimestamp ?? 0).getTime();
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/labels/#api */
function selectorText({ matchLabels = {}, matchExpressions = [] }: V1LabelSelector = {}): string {
  const equal = Object.entries(matchLabels).map(([key, value]) => `${key}=${value}`);
  const others = matchExpressions.map(({ key, operator, values = [] }) => {
    if (operator === 'Exists') return key;
    if (operator === 'DoesNotExist') return `!${key}`;
    return `${key} ${operator === 'In' ? 'in' : 'notin'} (${values.join(',')})`;
  });
  return [...equal, ...others].join(',');
}

/** The command that opts in the pods of a workload. */
export function templateRemedy({ kind, metadata }: Workload, namespace: string, value: string): string {
  const patch = JSON.stringify({ spec: { template: { metadata: { labels: { [rewriteLabel]: value } } } } });
  return `kubectl patch --namespace ${namespace} ${kind} ${metadata?.name} --patch '${patch}'`;
}
