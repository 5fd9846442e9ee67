/** Events about a registry of the policy, which is not an object: they are recorded on the controller's Lease, which always exists. */
import type { EventDetails } from '../../cluster/events.ts';
import { recordAbout } from '../record-about.ts';
import type { ReconcilerContext } from '../reconciler.ts';

export function recordLeaseEvent(
  { cluster, options }: Pick<ReconcilerContext, 'cluster' | 'options'>,
  event: Pick<EventDetails, 'reason' | 'message' | 'action'>,
): void {
  const metadata = { namespace: options.namespace, name: options.leaseName };
  void recordAbout(cluster, { apiVersion: 'coordination.k8s.io/v1', kind: 'Lease', metadata }, { ...event, type: 'Warning' });
}
