/** Events about the policy: recorded on its ConfigMap and on the webhook's Deployment, where people look. */
import type { Cluster } from '../cluster/connection.ts';
import type { EventDetails } from '../cluster/events.ts';
import type { ControllerOptions } from './options.ts';
import { recordAbout } from './record-about.ts';

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
  for (const object of objects) await recordAbout(cluster, object, details);
}
