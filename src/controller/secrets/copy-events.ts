/** Events on the Secret of a copy, in its namespace, where the owners of the pods see them. */
import type { KubernetesObject } from '@kubernetes/client-node';

import type { Cluster } from '../../cluster/connection.ts';
import { recordEvent } from '../../cluster/events.ts';

export interface CopyEvent {
  /** The Secret, or what is known of one that could not be created. */
  readonly secret: KubernetesObject | { readonly namespace: string; readonly name: string };
  readonly reason: 'CopyDisputed' | 'CopyFailed' | 'CopyRetained' | 'SecretNotOurs';
  readonly message: string;
  readonly type: 'Normal' | 'Warning';
}

export function recordCopyEvent(cluster: Cluster, { secret, reason, message, type }: CopyEvent): void {
  const { namespace, name, uid } = 'name' in secret ? { ...secret, uid: undefined } : (secret.metadata ?? {});
  const metadata = {
    ...(namespace !== undefined && { namespace }),
    ...(name !== undefined && { name }),
    ...(uid !== undefined && { uid }),
  };
  void recordEvent(cluster, { regarding: { apiVersion: 'v1', kind: 'Secret', metadata }, reason, message, type, action: 'CopySecret' });
}
