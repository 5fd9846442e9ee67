/** The releases of the chart in a cluster: what the API server has of each, a webhook configuration or bindings of an admission policy, and what belongs to it. */
import type {
  KubernetesObject,
  V1ConfigMap,
  V1Deployment,
  V1MutatingAdmissionPolicy,
  V1MutatingAdmissionPolicyBinding,
  V1MutatingWebhookConfiguration,
  V1Pod,
} from '@kubernetes/client-node';
import type { ClusterView } from './view.ts';

export interface PolicyFile {
  readonly configMap: string;
  readonly key: string;
  readonly text: string;
  /** When the ConfigMap was written last; null where the API server does not say. */
  readonly changed: Date | null;
}

/** What makes the API server rewrite pods: one of them, or both (the chart's value `engine`). */
export interface Engines {
  /** Null without a webhook. */
  readonly configuration: V1MutatingWebhookConfiguration | null;
  /** Of the admission policy; none without one. */
  readonly bindings: readonly V1MutatingAdmissionPolicyBinding[];
}

interface Registration extends Engines {
  /** As Helm calls it. */
  readonly name: string;
  readonly namespace: string;
}

export interface Release extends Registration {
  /** Of the webhook's Deployment, and of the admission policy; `-controller` behind it gives the controller's Deployment. */
  readonly fullName: string;
  /** Of the Service that the API server calls; empty without a webhook. */
  readonly service: string;
  /** That the bindings name; undefined when it does not exist or there are none, null when it cannot be seen. */
  readonly admissionPolicy: V1MutatingAdmissionPolicy | null | undefined;
  /** Of the webhook; null when there is none or it cannot be seen. */
  readonly deployment: V1Deployment | null;
  /** Of the webhook; null when they cannot be seen. */
  readonly pods: readonly V1Pod[] | null;
  /** Null when the ConfigMap does not exist or cannot be seen. */
  readonly policy: PolicyFile | null;
  /** Text of the file of resolved hosts; empty where there is none. */
  readonly hosts: string;
  /** When the policy or the hosts were written last, which the revision is made of. */
  readonly revised: Date | null;
}

/** Annotations of the bindings: where the release is, and the ConfigMaps that the policy is made of. */
const annotations = {
  namespace: 'transship.dev/release-namespace',
  policy: 'transship.dev/policy',
  hosts: 'transship.dev/resolved-hosts',
} as const;

const api = '/apis/admissionregistration.k8s.io/v1';
const own = { labelSelector: 'app.kubernetes.io/part-of=transship' };

/** @returns null when neither webhook configurations nor bindings can be seen, or those that can are none of transship */
export async function findReleases(view: ClusterView): Promise<readonly Release[] | null> {
  const list = <T extends KubernetesObject>(what: string): Promise<readonly T[] | null> => view.list<T>(`${api}/${what}`, what, own);
  const configurations = await list<V1MutatingWebhookConfiguration>('mutatingwebhookconfigurations');
  const bindings = await list<V1MutatingAdmissionPolicyBinding>('mutatingadmissionpolicybindings');
  const found = registrations(configurations ?? [], bindings ?? []);
  if (found.length === 0 && (configurations === null || bindings === null)) return null;
  return await Promise.all(found.map((registration) => releaseOf(view, registration)));
}

/** One for each webhook configuration, with the bindings of its release; and one for each release that has bindings alone. */
function registrations(
  configurations: readonly V1MutatingWebhookConfiguration[],
  bindings: readonly V1MutatingAdmissionPolicyBinding[],
): Registration[] {
  const ofRelease = Map.groupBy(bindings, (binding) => `${releaseNamespace(binding)}/${nameOf(binding)}`);
  const withWebhook = configurations.map((configuration): Registration => {
    const namespace = configuration.webhooks?.[0]?.clientConfig.service?.namespace ?? '';
    const name = nameOf(configuration);
    return { name, namespace, configuration, bindings: ofRelease.get(`${namespace}/${name}`) ?? [] };
  });
  const known = new Set(withWebhook.map(({ name, namespace }) => `${namespace}/${name}`));
  const others = [...ofRelease].flatMap(([key, [first, ...more]]): Registration[] => {
    if (first === undefined || known.has(key)) return [];
    return [{ name: nameOf(first), namespace: releaseNamespace(first), configuration: null, bindings: [first, ...more] }];
  });
  return [...withWebhook, ...others];
}

async function releaseOf(view: ClusterView, registration: Registration): Promise<Release> {
  const { name, namespace, configuration, bindings } = registration;
  const query = { labelSelector: `app.kubernetes.io/component=webhook,app.kubernetes.io/instance=${name}` };
  const list = <T extends KubernetesObject>(path: string, what: string): Promise<readonly T[] | null> =>
    view.list<T>(`${path}/namespaces/${namespace}/${what}`, `${what} in namespace ${namespace}`, query);
  const [deployment = null] = (await list<V1Deployment>('/apis/apps/v1', 'deployments')) ?? [];
  const admissionPolicy = await admissionPolicyOf(view, bindings);
  const files = deployment === null ? filesOf(bindings) : mountedFiles(deployment);
  const policy = await readFile(view, namespace, files.policy);
  const hosts = await readFile(view, namespace, files.hosts);
  return {
    ...registration,
    fullName: deployment?.metadata?.name ?? bindings[0]?.spec?.policyName ?? name,
    service: serviceOf(configuration),
    admissionPolicy,
    deployment,
    pods: await list<V1Pod>('/api/v1', 'pods'),
    policy,
    hosts: hosts?.text ?? '',
    revised: latest(policy?.changed ?? null, hosts?.changed ?? null),
  };
}

function serviceOf(configuration: V1MutatingWebhookConfiguration | null): string {
  return configuration?.webhooks?.[0]?.clientConfig.service?.name ?? '';
}

async function admissionPolicyOf(
  view: ClusterView,
  [binding]: readonly V1MutatingAdmissionPolicyBinding[],
): Promise<V1MutatingAdmissionPolicy | null | undefined> {
  const name = binding?.spec?.policyName;
  if (name === undefined) return undefined;
  return await view.get<V1MutatingAdmissionPolicy>(`${api}/mutatingadmissionpolicies/${name}`, `MutatingAdmissionPolicy ${name}`);
}

function nameOf({ metadata }: KubernetesObject): string {
  return metadata?.labels?.['app.kubernetes.io/instance'] ?? metadata?.name ?? '';
}

function releaseNamespace({ metadata }: KubernetesObject): string {
  return metadata?.annotations?.[annotations.namespace] ?? '';
}

interface FileRef {
  readonly configMap: string;
  /** Undefined for the first one. */
  readonly key: string | undefined;
}

interface Files {
  readonly policy: FileRef | null;
  readonly hosts: FileRef | null;
}

function mountedFiles(deployment: V1Deployment): Files {
  const file = (wanted: string): FileRef | null => {
    const source = deployment.spec?.template.spec?.volumes?.find((volume) => volume.name === wanted)?.configMap;
    return source?.name === undefined ? null : { configMap: source.name, key: source.items?.[0]?.key };
  };
  return { policy: file('policy'), hosts: hostsIn(file('hosts')) };
}

/** The controller has its breakers in the same ConfigMap. */
function hostsIn(ref: FileRef | null): FileRef | null {
  return ref === null ? null : { ...ref, key: ref.key ?? 'hosts.yaml' };
}

function filesOf([binding]: readonly V1MutatingAdmissionPolicyBinding[]): Files {
  const file = (annotation: string): FileRef | null => {
    const [configMap = '', key] = (binding?.metadata?.annotations?.[annotation] ?? '').split('/');
    return configMap === '' ? null : { configMap, key };
  };
  return { policy: file(annotations.policy), hosts: hostsIn(file(annotations.hosts)) };
}

async function readFile(view: ClusterView, namespace: string, ref: FileRef | null): Promise<PolicyFile | null> {
  if (ref === null) return null;
  const { configMap } = ref;
  const what = `ConfigMap ${configMap} in namespace ${namespace}`;
  const found = await view.get<V1ConfigMap>(`/api/v1/namespaces/${namespace}/configmaps/${configMap}`, what);
  const key = ref.key ?? Object.keys(found?.data ?? {})[0] ?? '';
  const text = found?.data?.[key];
  return text === undefined ? null : { configMap, key, text, changed: lastWrite(found?.metadata) };
}

interface Written {
  readonly creationTimestamp?: Date | string;
  readonly managedFields?: readonly { readonly time?: Date | string }[];
}

/** Null where none is known. */
export function latest(...dates: readonly (Date | null)[]): Date | null {
  const times = dates.flatMap((date) => (date === null ? [] : [date.getTime()]));
  return times.length === 0 ? null : new Date(Math.max(...times));
}

/** From the managed fields of an object. */
export function lastWrite(metadata: Written | undefined): Date | null {
  const times = [metadata?.creationTimestamp, ...(metadata?.managedFields ?? []).map(({ time }) => time)];
  const known = times.flatMap((time) => (time === undefined ? [] : [new Date(time).getTime()]));
  return known.length === 0 ? null : new Date(Math.max(...known));
}
