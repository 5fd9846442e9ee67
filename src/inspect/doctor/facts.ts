/** Everything that the checks of `doctor` look at, read once. Null stands for what may not be read. */
import type {
  V1DaemonSet,
  V1Deployment,
  V1EndpointSlice,
  V1Lease,
  V1Namespace,
  V1Pod,
  V1Secret,
  V1StatefulSet,
  V1ValidatingAdmissionPolicy,
  V1ValidatingAdmissionPolicyBinding,
} from '@kubernetes/client-node';
import { readCopies, type Copies } from './copies.ts';
import { probe, type ProbeResult } from './probe.ts';
import { replicaRevisions, type ReplicaRevision } from './replica-revisions.ts';
import { modeFor } from '../opt-in.ts';
import { policyOf, type ReleasePolicy } from '../policy.ts';
import { findReleases, type Release } from '../releases.ts';
import { asksRegistries, readVerifyStatus } from '../verify.ts';
import type { VerifyStatus } from '../../registry/verify-status.ts';
import type { ClusterView, ServerClock } from '../view.ts';
import type { Workload } from '../why/subject.ts';

export interface ReleaseFacts extends Release {
  readonly loaded: ReleasePolicy | null;
  readonly endpoints: readonly V1EndpointSlice[] | null;
  /** Of the webhook's certificate; undefined where the Secret does not exist. */
  readonly certificate: V1Secret | null | undefined;
  /** Its Deployment: `deleted` where only its ServiceAccount is there, `none` where no feature needs it, null when it cannot be seen. */
  readonly controller: 'present' | 'deleted' | 'none' | null;
  /** Of the controller; undefined where there is none. */
  readonly lease: V1Lease | null | undefined;
  /** Null when no pod was tried, or nothing was learnt of it. */
  readonly probe: ProbeResult | null;
  /** Of the replicas that are ready. */
  readonly revisions: readonly ReplicaRevision[] | null;
  readonly copies: Copies;
  /** What the controller found in registries that it asks; undefined where the policy has none to ask. */
  readonly verify: VerifyStatus | null | undefined;
  /** Of the namespaces that it rewrites, by namespace. */
  readonly optedIn: readonly OptedIn[] | null;
}

export interface OptedIn {
  readonly namespace: string;
  readonly pods: readonly V1Pod[] | null;
  /** Names of its Secrets. */
  readonly secrets: ReadonlySet<string> | null;
}

export interface Facts {
  readonly releases: readonly ReleaseFacts[] | null;
  readonly namespaces: readonly V1Namespace[] | null;
  readonly workloads: readonly Workload[] | null;
  readonly policies: readonly V1ValidatingAdmissionPolicy[] | null;
  readonly bindings: readonly V1ValidatingAdmissionPolicyBinding[] | null;
  /** Of the API server, as `v1.36.3`. */
  readonly version: string | null;
  /** Metrics of one API server. */
  readonly metrics: string | null;
  /** Leases of the nodes. */
  readonly nodeLeases: readonly V1Lease[] | null;
  readonly clock: ServerClock | null;
  /** By the clock of the API server, which the certificates and Leases of the cluster go by. */
  readonly now: Date;
}

const own = { labelSelector: 'app.kubernetes.io/part-of=transship' };

/** @param isProbing whether a pod may be created in dry run */
export async function gatherFacts(view: ClusterView, isProbing: boolean): Promise<Facts> {
  const namespaces = await view.list<V1Namespace>('/api/v1/namespaces', 'namespaces');
  const releases = await findReleases(view);
  const admission = '/apis/admissionregistration.k8s.io/v1';
  const version = await view.get<{ gitVersion?: string }>('/version', 'the version of the API server');
  const workloads = await workloadsOf(view);
  const found =
    releases === null ? null : await eachOf(releases, (release) => factsOf(view, release, { namespaces, workloads }, isProbing));
  if (!isProbing && found !== null && found.length > 0) view.notSeen('a dry-run pod', 'left out by --no-probe');
  return {
    releases: found,
    namespaces,
    workloads,
    policies: await view.list(`${admission}/validatingadmissionpolicies`, 'validatingadmissionpolicies', own),
    bindings: await view.list(`${admission}/validatingadmissionpolicybindings`, 'validatingadmissionpolicybindings', own),
    version: version?.gitVersion ?? null,
    metrics: await view.text('/metrics', 'metrics of the API server'),
    nodeLeases: await view.list<V1Lease>('/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases', 'leases of nodes'),
    clock: view.clock,
    now: new Date(Date.now() + (view.clock?.ahead ?? 0)),
  };
}

async function factsOf(
  view: ClusterView,
  release: Release,
  { namespaces, workloads }: Pick<Facts, 'namespaces' | 'workloads'>,
  isProbing: boolean,
): Promise<ReleaseFacts> {
  const { namespace, service, fullName, deployment } = release;
  if (isProbing && release.configuration !== null && release.bindings.length > 0)
    view.notSeen(`whether the webhook of release ${release.name} is reached`, 'its admission policy rewrites the dry-run pod first');
  const slices = `/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`;
  const wanted = namespaces?.filter(
    ({ metadata }) => modeFor(release, { name: metadata?.name ?? '', labels: metadata?.labels }, {}) === 'enforce',
  );
  const secretName = deployment?.spec?.template.spec?.volumes?.find((volume) => volume.name === 'tls')?.secret?.secretName;
  const loaded = policyOf(release);
  return {
    ...release,
    loaded,
    probe: isProbing ? await probe(view, release, loaded, namespaces) : null,
    revisions: await replicaRevisions(view, release),
    copies: await readCopies(view, release, loaded, namespaces),
    verify: await verifyStatusOf(view, release, loaded),
    endpoints:
      service === ''
        ? []
        : await view.list(slices, `endpointslices in namespace ${namespace}`, { labelSelector: `kubernetes.io/service-name=${service}` }),
    certificate:
      secretName === undefined
        ? null
        : await view.get<V1Secret>(
            `/api/v1/namespaces/${namespace}/secrets/${secretName}`,
            `Secret ${secretName} in namespace ${namespace}`,
          ),
    controller: await controllerOf(view, release, workloads),
    lease: await view.get<V1Lease>(
      `/apis/coordination.k8s.io/v1/namespaces/${namespace}/leases/${fullName}-controller`,
      `Lease ${fullName}-controller in namespace ${namespace}`,
    ),
    optedIn: wanted === undefined ? null : await eachOf(wanted, ({ metadata }) => optedIn(view, metadata?.name ?? '')),
  };
}

async function controllerOf(view: ClusterView, release: Release, workloads: Facts['workloads']): Promise<ReleaseFacts['controller']> {
  if (workloads === null) return null;
  if (controllerDeployment(release, workloads) !== undefined) return 'present';
  const { namespace, fullName } = release;
  const name = `${fullName}-controller`;
  const what = `ServiceAccount ${name} in namespace ${namespace}`;
  const account = await view.get(`/api/v1/namespaces/${namespace}/serviceaccounts/${name}`, what);
  if (account === null) return null;
  return account === undefined ? 'none' : 'deleted';
}

export function controllerDeployment(
  { namespace, fullName }: Pick<Release, 'namespace' | 'fullName'>,
  workloads: readonly Workload[],
): Workload | undefined {
  return workloads.find(
    ({ kind, metadata }) => kind === 'deployment' && metadata?.name === `${fullName}-controller` && metadata.namespace === namespace,
  );
}

async function verifyStatusOf(
  view: ClusterView,
  { namespace, fullName }: Release,
  loaded: ReleasePolicy | null,
): Promise<ReleaseFacts['verify']> {
  const compiled = loaded?.compiled ?? null;
  return compiled !== null && asksRegistries(compiled) ? await readVerifyStatus(view, namespace, fullName) : undefined;
}

/** One after the other: hundreds of requests at once would be a load of their own. */
async function eachOf<T, R>(all: readonly T[], read: (one: T) => Promise<R>): Promise<R[]> {
  const results: R[] = [];
  for (const one of all) results.push(await read(one));
  return results;
}

/** More pods than these are not looked at: one is enough to find what is wrong. */
const maxPods = 500;

async function optedIn(view: ClusterView, namespace: string): Promise<OptedIn> {
  const pods: V1Pod[] = [];
  const what = `pods in namespace ${namespace}`;
  for await (const page of view.pages<V1Pod>(`/api/v1/namespaces/${namespace}/pods`, what)) {
    pods.push(...page);
    if (pods.length >= maxPods) break;
  }
  const secrets = await view.list<V1Secret>(`/api/v1/namespaces/${namespace}/secrets`, `secrets in namespace ${namespace}`);
  return {
    namespace,
    pods: view.isUnseen(what) ? null : pods,
    secrets: secrets === null ? null : new Set(secrets.map(({ metadata }) => metadata?.name ?? '')),
  };
}

async function workloadsOf(view: ClusterView): Promise<readonly Workload[] | null> {
  const all: Workload[] = [];
  for (const kind of ['deployment', 'statefulset', 'daemonset']) {
    const found = await view.list<V1Deployment | V1StatefulSet | V1DaemonSet>(`/apis/apps/v1/${kind}s`, `${kind}s`);
    if (found === null) return null;
    all.push(...found.map(({ metadata, spec }) => ({ kind, metadata, spec })));
  }
  return all;
}
