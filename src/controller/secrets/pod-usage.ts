/** Whether pods still need a pull secret. */
import type { KubernetesObject, V1PodSpec } from '@kubernetes/client-node';

import type { Cluster } from '../../cluster/connection.ts';
import { listPages } from '../../cluster/list-pages.ts';

/** Pods per page: a page is in memory as a whole, and the first pod that references the Secret ends the search. */
const pageSize = 100;
/** Timeout for all pages, in milliseconds. */
const timeout = 30_000;

type Pod = KubernetesObject & { readonly spec?: Pick<V1PodSpec, 'imagePullSecrets'> };

/**
 * Whether a pod of the namespace that has not ended references the Secret. The kubelet reads it for each pull, so a running pod needs it
 * when a container restarts.
 *
 * @throws ApiError
 */
export async function isNamedByPod(
  cluster: Cluster,
  { namespace, name }: { readonly namespace: string; readonly name: string },
  signal: AbortSignal,
): Promise<boolean> {
  const pages = listPages<Pod>(cluster, {
    path: `/api/v1/namespaces/${namespace}/pods`,
    query: { fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed' },
    pageSize,
    signal: AbortSignal.any([signal, AbortSignal.timeout(timeout)]),
    onActivity: () => {},
  });
  for await (const { items } of pages) {
    if (items.some(({ spec }) => spec?.imagePullSecrets?.some((secret) => secret.name === name) === true)) return true;
  }
  return false;
}
