/** Reads the pods of a cluster page by page, and adds them up. */
import type { V1Namespace, V1Pod, V1Secret } from '@kubernetes/client-node';
import { OperatorError } from '../../errors/operator-error.ts';
import { rewriteLabel } from '../../pod/labels.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { listPods } from '../pods.ts';
import { missingImages } from '../verify.ts';
import type { ClusterView } from '../view.ts';
import { customResourceImages } from './custom-resources.ts';
import { secretEntries, type NamespaceSecrets } from './needed-secrets.ts';
import { PlanCount } from './plan.ts';
import { PodCount } from './pods.ts';
import type { ScanReport } from './report.ts';

/** Adds up pods that are not in a cluster: what is known of namespaces and Secrets is nothing. */
export function scanPods(pods: Iterable<V1Pod>, policy: CompiledPolicy | null): ScanReport {
  const count = new PodCount();
  const plan = policy === null ? null : new PlanCount(policy);
  for (const pod of pods) {
    count.add(pod);
    plan?.add(pod);
  }
  return { ...count.report(new Map()), customResources: [], plan: plan?.report(new Map(), []) ?? null, notSeen: [] };
}

export interface ScanSubject {
  /** Null for all. */
  readonly namespace: string | null;
  /** Whether to look into custom resources. */
  readonly hasCustomResources: boolean;
}

export async function scanCluster(
  view: ClusterView,
  { namespace, hasCustomResources }: ScanSubject,
  policy: CompiledPolicy | null,
): Promise<ScanReport> {
  const count = new PodCount();
  const plan = policy === null ? null : new PlanCount(policy);
  for await (const page of listPods(view, namespace))
    for (const pod of page) {
      // Pods that have ended pull nothing.
      if (pod.status?.phase === 'Succeeded' || pod.status?.phase === 'Failed') continue;
      count.add(pod);
      plan?.add(pod);
    }
  const customResources = hasCustomResources ? await customResourceImages(view, namespace) : [];
  if (!hasCustomResources) view.notSeen('custom resources', 'left out by --no-custom-resources');
  const labels = await labelsOf(view, namespace);
  const secrets = await secretsOf(view, plan?.namespacesWithSecrets ?? []);
  const missing = await missingImages(view, policy);
  return { ...count.report(labels), customResources, plan: plan?.report(secrets, missing) ?? null, notSeen: view.unseen };
}

async function labelsOf(view: ClusterView, namespace: string | null): Promise<Map<string, string | null>> {
  const one = namespace === null ? null : await view.get<V1Namespace>(`/api/v1/namespaces/${namespace}`, `namespace ${namespace}`);
  if (one === undefined)
    throw new OperatorError('OBJECT_NOT_FOUND', `there is no namespace ${namespace}`, 'check the name and the context');
  const found = namespace === null ? ((await view.list<V1Namespace>('/api/v1/namespaces', 'namespaces')) ?? []) : one === null ? [] : [one];
  return new Map(found.map(({ metadata }) => [metadata?.name ?? '', metadata?.labels?.[rewriteLabel] ?? null]));
}

async function secretsOf(view: ClusterView, namespaces: readonly string[]): Promise<Map<string, NamespaceSecrets>> {
  const present = new Map<string, NamespaceSecrets>();
  for (const namespace of namespaces) {
    const found = await view.list<V1Secret>(`/api/v1/namespaces/${namespace}/secrets`, `secrets in namespace ${namespace}`);
    if (found !== null) present.set(namespace, new Map(found.map((secret) => [secret.metadata?.name ?? '', secretEntries(secret)])));
  }
  return present;
}
