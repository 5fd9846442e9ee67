/** Which policy each replica of the webhook has, from its metrics, through the API server's proxy to pods. */
import type { V1Pod } from '@kubernetes/client-node';
import type { Release } from '../releases.ts';
import type { ClusterView } from '../view.ts';

export interface ReplicaRevision {
  readonly pod: string;
  /** Null when its metrics cannot be read. */
  readonly revision: string | null;
}

/** @returns null when the pods cannot be seen. Pods that are not ready are left out: another check tells them. */
export async function replicaRevisions(view: ClusterView, { pods, namespace }: Release): Promise<readonly ReplicaRevision[] | null> {
  if (pods === null) return null;
  return await Promise.all(
    pods.filter(isReady).map(async ({ metadata, spec }) => {
      const pod = metadata?.name ?? '';
      const port = spec?.containers.flatMap(({ ports = [] }) => ports).find(({ name }) => name === 'metrics')?.containerPort;
      const path = `/api/v1/namespaces/${namespace}/pods/${pod}:${port}/proxy/metrics`;
      const text = port === undefined ? null : await view.proxied(path, `metrics of pod ${namespace}/${pod}`);
      return { pod, revision: text === null ? null : revisionIn(text) };
    }),
  );
}

function isReady({ metadata, status }: V1Pod): boolean {
  const ready = status?.conditions?.some(({ type, status: holds }) => type === 'Ready' && holds === 'True') === true;
  return ready && metadata?.deletionTimestamp === undefined;
}

/** The series of a policy before may still be there with the value 0. */
export function revisionIn(metrics: string): string | null {
  return /^transship_policy_info\{[^}]*revision="([^"]*)"[^}]*\} 1$/m.exec(metrics)?.[1] ?? null;
}
