/** Whether there is a webhook to ask. */
import type { V1Pod } from '@kubernetes/client-node';
import { hasWebhook, releaseCheck, type Check } from './check.ts';

const replicas = releaseCheck(
  'replicas',
  'every replica of the webhook is ready',
  ({ deployment, pods, name, fullName, namespace }) => {
    if (deployment === null)
      return pods === null
        ? null
        : [
            {
              sentence: `release ${name} has no Deployment of the webhook in namespace ${namespace}`,
              remedy: `helm upgrade brings it back`,
            },
          ];
    const wanted = deployment.spec?.replicas ?? 1;
    const ready = deployment.status?.readyReplicas ?? 0;
    if (wanted === 0)
      return [
        {
          sentence: `Deployment ${fullName} is scaled to 0`,
          remedy: `kubectl --namespace ${namespace} scale deployment ${fullName} --replicas=2`,
        },
      ];
    if (ready >= wanted) return [];
    const why = pods?.map(trouble).find((text) => text !== null) ?? null;
    return [
      {
        sentence: `${ready} of ${wanted} replicas are ready${why === null ? '' : `: ${why}`}`,
        remedy: `kubectl --namespace ${namespace} describe pods --selector app.kubernetes.io/component=webhook`,
      },
    ];
  },
  hasWebhook,
);

/** Why a pod is not ready, as its status says. */
function trouble({ status }: V1Pod): string | null {
  const [container] = status?.containerStatuses ?? [];
  if (container === undefined) return unscheduled(status);
  if (container.ready) return null;
  const { waiting, terminated } = container.state ?? {};
  // A container that cannot start says why in its last line (terminationMessagePolicy FallbackToLogsOnError).
  const said = (container.lastState?.terminated ?? terminated)?.message?.trim().split('\n').at(-1);
  return said ?? (waiting === undefined ? null : `${waiting.reason} ${waiting.message ?? ''}`.trim());
}

function unscheduled(status: V1Pod['status']): string | null {
  return status?.conditions?.find(({ type, status: holds }) => type === 'PodScheduled' && holds === 'False')?.message ?? null;
}

const endpoints = releaseCheck(
  'endpoints',
  'the Service of the webhook has a ready endpoint',
  ({ endpoints: slices, service, namespace, deployment }) => {
    if (slices === null || service === '') return null;
    const isReady = slices.some((slice) => slice.endpoints?.some(({ conditions }) => conditions?.ready !== false));
    // Without replicas that are ready, or are to be, the finding is theirs; a status is behind its spec for a moment.
    const expected = Math.min(deployment?.spec?.replicas ?? 1, deployment?.status?.readyReplicas ?? 0);
    if (isReady || expected === 0) return [];
    return [
      {
        sentence: `Service ${service} has no ready endpoint, though replicas are ready: its selector was changed`,
        remedy: `helm upgrade restores it; kubectl --namespace ${namespace} get service ${service} -o yaml shows it`,
      },
    ];
  },
  hasWebhook,
);

export const replicaChecks: readonly Check[] = [replicas, endpoints];
