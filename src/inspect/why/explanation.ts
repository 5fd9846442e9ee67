/** Gathers what `why` needs, and judges it. */
import type { CoreV1Event, V1Namespace, V1Pod, V1Secret } from '@kubernetes/client-node';
import { OperatorError } from '../../errors/operator-error.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { modeFor, type Remedied } from '../opt-in.ts';
import { firstErrors, policyOf } from '../policy.ts';
import { findReleases, type Release } from '../releases.ts';
import type { ClusterView, Unseen } from '../view.ts';
import type { ContainerVerdict } from './evidence.ts';
import { judge } from './judgement.ts';
import { pullProblems, type PullProblem } from './pull.ts';
import { secretProblems, type Secrets } from './pull-secrets.ts';
import { findSubject, type parseSubject } from './subject.ts';

export interface Explanation {
  readonly pod: string;
  readonly namespace: string;
  readonly created: string | null;
  /** Null when no release is registered. */
  readonly release: string | null;
  readonly containers: readonly ContainerVerdict[];
  /** Of the kubelet, for containers that wait. */
  readonly pulls: readonly PullProblem[];
  readonly secrets: readonly Remedied[];
  readonly notSeen: readonly Unseen[];
}

export interface Question {
  readonly namespace: string;
  readonly subject: ReturnType<typeof parseSubject>;
  /** Null for that of the release. */
  readonly policy: CompiledPolicy | null;
}

/** @throws OperatorError when the object does not exist or cannot be seen, or there is no policy to judge by */
export async function explainPod(view: ClusterView, { namespace, subject, policy }: Question): Promise<Explanation> {
  const found = await findSubject(view, namespace, subject);
  if (found === null)
    throw new OperatorError('KUBERNETES_API_ERROR', view.unseen.map(({ why }) => why).join('; '), 'use credentials that may read pods');
  const { pod, workload } = found;
  const releases = await findReleases(view);
  const own = (await view.get<V1Namespace>(`/api/v1/namespaces/${namespace}`, `namespace ${namespace}`)) ?? null;
  const release = releaseFor(releases ?? [], own, pod);
  const containers = judge({ pod, workload, namespace: own, releases, policy: policy ?? compiledOf(release, releases !== null) });
  const images = containers.map(({ image }) => image);
  return {
    pod: pod.metadata?.name ?? '',
    namespace,
    created: pod.metadata?.creationTimestamp === undefined ? null : new Date(pod.metadata.creationTimestamp).toISOString(),
    release: release === undefined ? null : `${release.namespace}/${release.name}`,
    containers,
    pulls: pullProblems(pod, await failures(view, pod)),
    secrets: isWaiting(pod) ? secretProblems(namespace, await secretsOf(view, pod), images) : [],
    notSeen: view.unseen,
  };
}

/** The release that wants the pod, else the first one. */
function releaseFor(releases: readonly Release[], namespace: V1Namespace | null, { metadata }: V1Pod): Release | undefined {
  const named = { name: metadata?.namespace ?? '', labels: namespace?.metadata?.labels };
  return releases.find((release) => modeFor(release, named, metadata?.labels ?? {}) !== null) ?? releases[0];
}

function compiledOf(release: Release | undefined, isSeen: boolean): CompiledPolicy {
  const remedy = 'name a policy file with --policy';
  if (!isSeen)
    throw new OperatorError(
      'KUBERNETES_API_ERROR',
      'your rights do not let the release be seen, nor its policy',
      `use credentials that may list mutatingwebhookconfigurations and mutatingadmissionpolicybindings, or ${remedy}`,
    );
  if (release === undefined)
    throw new OperatorError(
      'OBJECT_NOT_FOUND',
      'no release of transship is registered in the cluster, so it rewrites nothing',
      `helm install it, or ${remedy}`,
    );
  const policy = policyOf(release);
  if (policy === null) throw new OperatorError('OBJECT_NOT_FOUND', `the policy of release ${release.name} cannot be seen`, remedy);
  if (policy.compiled === null)
    throw new OperatorError('POLICY_INVALID', `${policy.source} cannot be used: ${firstErrors(policy)}`, `correct it, or ${remedy}`);
  return policy.compiled;
}

/** Messages of the kubelet about pulls, the newest first. */
async function failures(view: ClusterView, { metadata }: V1Pod): Promise<string[]> {
  const where = `namespace ${metadata?.namespace}`;
  const query = { fieldSelector: `involvedObject.name=${metadata?.name},reason=Failed` };
  const events = await view.list<CoreV1Event>(`/api/v1/namespaces/${metadata?.namespace}/events`, `events in ${where}`, query);
  return (events ?? []).toReversed().flatMap(({ message }) => message ?? []);
}

function isWaiting({ status }: V1Pod): boolean {
  const all = [
    ...(status?.initContainerStatuses ?? []),
    ...(status?.containerStatuses ?? []),
    ...(status?.ephemeralContainerStatuses ?? []),
  ];
  return all.some(({ state }) => /Image|Registry/.test(state?.waiting?.reason ?? ''));
}

async function secretsOf(view: ClusterView, { metadata, spec }: V1Pod): Promise<Secrets> {
  const secrets = new Map<string, V1Secret | null>();
  for (const { name = '' } of spec?.imagePullSecrets ?? []) {
    const path = `/api/v1/namespaces/${metadata?.namespace}/secrets/${name}`;
    const secret = await view.get<V1Secret>(path, `Secret ${name} in namespace ${metadata?.namespace}`);
    // One that may not be read says nothing.
    if (secret !== null) secrets.set(name, secret ?? null);
  }
  return secrets;
}
