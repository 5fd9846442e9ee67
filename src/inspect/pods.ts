/** The pods that a command is about. */
import type { V1Pod } from '@kubernetes/client-node';
import { OperatorError } from '../errors/operator-error.ts';
import type { ClusterView } from './view.ts';

/**
 * Page by page. Without the right to list them there is nothing to say: a report about no pods would look like one about an empty cluster.
 *
 * @param namespace null for all
 * @throws OperatorError (KUBERNETES_API_ERROR)
 */
export async function* listPods(view: ClusterView, namespace: string | null): AsyncGenerator<readonly V1Pod[]> {
  const path = namespace === null ? '/api/v1/pods' : `/api/v1/namespaces/${encodeURIComponent(namespace)}/pods`;
  const what = namespace === null ? 'pods in all namespaces' : `pods in namespace ${namespace}`;
  yield* view.pages<V1Pod>(path, what);
  const refused = view.unseen.find((each) => each.what === what);
  if (refused !== undefined) throw new OperatorError('KUBERNETES_API_ERROR', refused.why, 'use credentials that may list pods');
}

/** Pods of a release of transship: its webhooks are never asked about them (match condition `not-of-transship` of the chart). */
export function isOfRelease({ metadata }: V1Pod): boolean {
  return metadata?.labels?.['app.kubernetes.io/part-of'] === 'transship';
}
