/** The resolved hosts as the webhook mounts them, read through the API: the controller decides as the webhook does, whoever writes them. */
import type { V1ConfigMap } from '@kubernetes/client-node';

import { describeError } from '../cluster/api-error.ts';
import type { ResourceWatch } from '../cluster/watch.ts';
import type { FollowedPolicy } from './followed-policy.ts';
import { hostsKey } from './hosts/hosts-text.ts';
import { observedWatch } from './observed-watch.ts';
import type { Feature } from './options.ts';
import type { ReconcilerContext } from './reconciler.ts';

/** Features that decide about images. */
const deciding: ReadonlySet<Feature> = new Set(['fallback', 'policies', 'verify']);

export const needsHosts = (feature: Feature): boolean => deciding.has(feature);

/** Tells the policy the hosts once they are known, and after each change; without the ConfigMap there are none. */
export function followHosts(context: Pick<ReconcilerContext, 'watches' | 'options'>, policy: FollowedPolicy): ResourceWatch<V1ConfigMap> {
  const { namespace, hostsConfigMap } = context.options;
  const name = `${hostsKey} of ConfigMap ${hostsConfigMap}`;
  const watch: ResourceWatch<V1ConfigMap> = observedWatch<V1ConfigMap>(context, 'hosts', {
    path: `/api/v1/namespaces/${namespace}/configmaps`,
    fieldSelector: `metadata.name=${hostsConfigMap}`,
    onEvent: () => {
      if (watch.isSynced) policy.useHosts({ name, text: watch.list()[0]?.data?.[hostsKey] ?? '' });
    },
    onError: (error) => policy.hostsFailed(`${name} cannot be read: ${describeError(error)}`),
  });
  return watch;
}
