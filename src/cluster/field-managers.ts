/** Who wrote an object. https://kubernetes.io/docs/reference/using-api/server-side-apply/#field-management */
import type { KubernetesObject, V1ManagedFieldsEntry } from '@kubernetes/client-node';

import { fieldManager } from './object-writes.ts';

/** Field manager of the last write by another client, such as `kubectl-edit`. */
export function lastOtherWriter(metadata: KubernetesObject['metadata']): string | undefined {
  const others = (metadata?.managedFields ?? []).filter(({ manager }) => manager !== fieldManager);
  return others.toSorted((a, b) => timeOf(b) - timeOf(a))[0]?.manager;
}

const timeOf = ({ time }: V1ManagedFieldsEntry): number => (time === undefined ? 0 : new Date(time).getTime());
