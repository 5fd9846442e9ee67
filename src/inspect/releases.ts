/** The releases of the chart in a cluster: the webhook configuration of each, and what belongs to it. */
import type { KubernetesObject, V1ConfigMap, V1Deployment, V1MutatingWebhookConfiguration, V1Pod, V1Volume } from '@kubernetes/client-node';
import type { ClusterView } from './view.ts';

export interface PolicyFile {
  readonly configMap: string;
  readonly key: string;
  readonly text: string;
  /** When the ConfigMap was written last; null where the API server does not say. */
  readonly changed: Date | null;
}

export interface Release {
  /** As Helm calls it. */
  readonly name: string;
  /** Of the webhook's Deployment; `-controller` behind it gives the controller's. */
  readonly fullName: string;
  /** Of the Service that the API server calls. */
  readonly namespace: string;
  readonly service: string;
  readonly configuration: V1MutatingWebhookConfiguration;
  /** Of the webhook; null when there is none or it cannot be seen. */
  readonly deployment: V1Deployment | null;
  /** Null when they cannot be seen. */
  readonly pods: readonly V1Pod[] | null;
  /** Null when the ConfigMap does not exist or cannot be seen. */
  readonly policy: PolicyFile | null;
  /** Text of the file of resolved hosts; empty where there is none. */
  readonly hosts: string;
}

const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

/** @returns null when webhook configurations cannot be seen */
export async function findReleases(view: ClusterView): Promise<readonly Release[] | null> {
  const query = { labelSelector: 'app.kubernetes.io/part-of=transship' };
  const found = await view.list<V1MutatingWebhookConfiguration>(configurations, 'mutatingwebhookconfigurations', query);
  if (found === null) return null;
  return await Promise.all(found.map((configuration) => releaseOf(view, configuration)));
}

async function releaseOf(view: ClusterView, configuration: V1MutatingWebhookConfiguration): Promise<Release> {
  const { name: service = '', namespace = '' } = configuration.webhooks?.[0]?.clientConfig.service ?? {};
  const name = nameOf(configuration);
  const query = { labelSelector: `app.kubernetes.io/component=webhook,app.kubernetes.io/instance=${name}` };
  const list = <T extends KubernetesObject>(path: string, what: string): Promise<readonly T[] | null> =>
    view.list<T>(`${path}/namespaces/${namespace}/${what}`, `${what} in namespace ${namespace}`, query);
  const [deployment = null] = (await list<V1Deployment>('/apis/apps/v1', 'deployments')) ?? [];
  const file = (wanted: string): Promise<PolicyFile | null> => fileOf(view, namespace, volumeOf(deployment, wanted));
  return {
    name,
    fullName: deployment?.metadata?.name ?? name,
    namespace,
    service,
    configuration,
    deployment,
    pods: await list<V1Pod>('/api/v1', 'pods'),
    policy: await file('policy'),
    hosts: (await file('hosts'))?.text ?? '',
  };
}

function nameOf({ metadata }: V1MutatingWebhookConfiguration): string {
  return metadata?.labels?.['app.kubernetes.io/instance'] ?? metadata?.name ?? '';
}

function volumeOf(deployment: V1Deployment | null, wanted: string): V1Volume | undefined {
  return deployment?.spec?.template.spec?.volumes?.find((volume) => volume.name === wanted);
}

/** The first file of a ConfigMap volume. */
async function fileOf(view: ClusterView, namespace: string, volume: V1Volume | undefined): Promise<PolicyFile | null> {
  const configMap = volume?.configMap?.name;
  if (configMap === undefined) return null;
  const what = `ConfigMap ${configMap} in namespace ${namespace}`;
  const found = await view.get<V1ConfigMap>(`/api/v1/namespaces/${namespace}/configmaps/${configMap}`, what);
  const key = volume?.configMap?.items?.[0]?.key ?? Object.keys(found?.data ?? {})[0] ?? '';
  const text = found?.data?.[key];
  return text === undefined ? null : { configMap, key, text, changed: lastWrite(found?.metadata) };
}

interface Written {
  readonly creationTimestamp?: Date | string;
  readonly managedFields?: readonly { readonly time?: Date | string }[];
}

/** From the managed fields of an object. */
export function lastWrite(metadata: Written | undefined): Date | null {
  const times = [metadata?.creationTimestamp, ...(metadata?.managedFields ?? []).map(({ time }) => time)];
  const known = times.flatMap((time) => (time === undefined ? [] : [new Date(time).getTime()]));
  return known.length === 0 ? null : new Date(Math.max(...known));
}
