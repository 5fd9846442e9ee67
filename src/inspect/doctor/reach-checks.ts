/** Whether the API server gets answers of the webhook, and all of them of the policy of the ConfigMap. */
import { hasWebhook, releaseCheck, type Check, type Problem } from './check.ts';
import { matchImagesOf } from '../match-images.ts';
import type { Facts, ReleaseFacts } from './facts.ts';
import type { ProbeResult } from './probe.ts';
import type { ReplicaRevision } from './replica-revisions.ts';

/** Conditions that the chart writes; others are of its values, and may except the probe. */
export const chartConditions: ReadonlySet<string> = new Set([
  'not-a-mirror-pod',
  'an-image-changes',
  'not-of-transship',
  'not-by-fallback',
  'an-image-is-concerned',
  'pod-label-matches-mode',
]);

/** @param causes checks that tell why no answer comes, where they find something */
export function reachable(causes: readonly Check[]): Check {
  return releaseCheck(
    'reachable',
    'the API server reaches the webhook (dry run of a pod)',
    (release, facts) => {
      const { probe } = release;
      if (probe === null) return null;
      const found = unreached(release, probe);
      // An admission policy beside it may have rewritten the pod.
      if (found === null) return release.bindings.length > 0 ? null : [];
      const only: Facts = { ...facts, releases: [release] };
      const isTold = causes.some(({ judge }) => (judge(only) ?? []).length > 0);
      return isTold || hasOwnConditions(release) ? null : [found];
    },
    hasWebhook,
  );
}

function unreached(release: ReleaseFacts, result: ProbeResult): Problem | null {
  const { probe } = result;
  const { service, namespace, configuration } = release;
  const port = configuration?.webhooks?.[0]?.clientConfig.service?.port ?? 443;
  const remedy = `see that nothing between the API server and port ${port} of Service ${service} in namespace ${namespace} refuses it (NetworkPolicy, firewall, hostNetwork); the log of the API server has \`failed calling webhook\``;
  if ('failure' in result && result.of === 'admission policy') return null;
  if ('failure' in result) return { sentence: `the API server does not reach the webhook, and refuses pods: ${result.failure}`, remedy };
  const { image, revision } = result;
  if (image === probe.expected) return null;
  if (revision === null)
    return {
      sentence: `the API server does not reach the webhook, and creates pods as they are written: ${probe.image} in namespace ${probe.namespace} stays ${image} (dry run)`,
      remedy,
    };
  if (revision !== release.loaded?.compiled?.revision) return null;
  return {
    sentence: `the webhook is reached, and another one changes its answer: ${probe.image} in namespace ${probe.namespace} becomes ${image} instead of ${probe.expected} (dry run)`,
    remedy:
      'kubectl get mutatingwebhookconfigurations shows the others; leave their images out of the policy with exclude, or take them out',
  };
}

function hasOwnConditions({ configuration }: ReleaseFacts): boolean {
  return (configuration?.webhooks ?? []).some(({ matchConditions = [] }) => matchConditions.some(({ name }) => !chartConditions.has(name)));
}

export const matchImages = releaseCheck(
  'match-images',
  'the match condition from the rules, if there is one, is of the policy in the ConfigMap',
  (release) => {
    const found = matchImagesOf(release);
    if (found === null || found.revision === found.present) return [];
    if (found.present === null) return null;
    return [
      {
        sentence: `the webhook is not asked about pods that revision ${found.revision ?? 'unknown'} of the policy does not concern, and revision ${found.present} is in the ConfigMap: pods of its new rules stay as written`,
        remedy: 'transship export match-images --policy FILE, and helm upgrade with it and the same file; or leave matchImages empty',
      },
    ];
  },
  hasWebhook,
);

/** Milliseconds: the kubelet takes about a minute to bring a change of a ConfigMap to its pods. */
const mountDelay = 120_000;

export const revision = releaseCheck(
  'policy-revision',
  'every replica has the policy of its ConfigMap, but for changes of the last two minutes',
  (release, { now }) => {
    const { loaded, revisions, namespace, fullName, revised } = release;
    const wanted = loaded?.compiled?.revision ?? null;
    // That a policy does not load, another check tells.
    if (wanted === null || revisions === null) return null;
    const stale = staleReplicas(release, revisions, wanted);
    if (stale.length === 0) return areAllSeen(release, revisions) ? [] : null;
    if (now.getTime() - (revised?.getTime() ?? 0) < mountDelay) return [];
    const where = `--namespace ${namespace}`;
    return [
      {
        sentence: `revision ${wanted} of the policy is in the ConfigMap, and ${stale.join(', ')}`,
        remedy: `kubectl ${where} logs deployment/${fullName} says why it was not loaded; kubectl ${where} rollout restart deployment/${fullName}`,
      },
    ];
  },
  hasWebhook,
);

function staleReplicas(release: ReleaseFacts, revisions: readonly ReplicaRevision[], wanted: string): readonly string[] {
  const seen = revisions.flatMap(({ pod, revision: has }) => (has === null || has === wanted ? [] : [`${pod} has ${has}`]));
  const answered = answeredBy(release);
  // Of the replicas that are not seen, the dry run tells one.
  const isOfUnseen = seen.length === 0 && revisions.some((each) => each.revision === null);
  return isOfUnseen && answered !== null && answered !== wanted ? [`one answered with ${answered}`] : seen;
}

function areAllSeen(release: ReleaseFacts, revisions: readonly ReplicaRevision[]): boolean {
  const isOneReplica = (release.deployment?.spec?.replicas ?? 1) === 1;
  if (isOneReplica && answeredBy(release) !== null) return true;
  return revisions.length > 0 && revisions.every((each) => each.revision !== null);
}

function answeredBy({ probe }: ReleaseFacts): string | null {
  return probe !== null && 'revision' in probe ? probe.revision : null;
}
