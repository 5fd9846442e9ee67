/** Events about the policy: recorded on its ConfigMap and on the webhook's Deployment, where people look. */
import type { Cluster } from '../cluster/connection.ts';
import { recordEvent, type EventDetails } from '../cluster/events.ts';
import { readObject } from '../cluster/object-writes.ts';
import type { ControllerOptions } from './options.ts';

/** Milliseconds. */
const readTimeout = 5_000;

/** Never rejects. */
export async function recordOnPolicy(
  cluster: Cluster,
  { namespace, policyConfigMap, deployment }: Pick<ControllerOptions, 'namespace' | 'policyConfigMap' | 'deployment'>,
  details: Omit<EventDetails, 'regarding'>,
): Promise<void> {
  const objects = [
    ...(policyConfigMap === null ? [] : [{ apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name: policyConfigMap } }]),
    ...(deployment === null ? [] : [{ apiVersion: 'apps/v1', kind: 'Deployment', metadata: { namespace, name: deployment } }]),
  ];
  for (const object of objects) {
    const uid = await uidOf(cluster, object);
    const regarding = { ...object, metadata: { ...object.metadata, ...(uid !== null && { uid }) } };
    await recordEvent(cluster, { regarding, ...details });
  }
}

/** `kubectl describe` selects events by UID. Without the permission to read the object, the event is recorded without one. */
async function uidOf(cluster: Cluster, object: Parameters<typeof readObject>[1]): Promise<string | null> {
  const found = await readObject(cluster, object, AbortSignal.timeout(readTimeout)).catch(() => null);
  return found?.metadata?.uid ?? null;
}
