/** Namespaces and workloads of the tests, and what became of them. */
import type { V1Container, V1Pod, V1PodList } from '@kubernetes/client-node';

import type { TestNode } from './node.ts';
import { patience, poll } from './poll.ts';

/** Makes a namespace and resolves when pods can be created in it. */
export async function createNamespace(
  node: TestNode,
  name: string,
  labels: Readonly<Record<string, string>> = { 'transship.dev/rewrite': 'enabled' },
): Promise<void> {
  await apply(node, { apiVersion: 'v1', kind: 'Namespace', metadata: { name, labels } });
  await poll(`the default service account of ${name}`, () => node.kubectl(['get', 'serviceaccount', 'default', '--namespace', name]));
}

export async function apply(node: TestNode, ...objects: readonly object[]): Promise<void> {
  await node.kubectl(['apply', '--filename=-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
}

export interface PodTemplate {
  readonly metadata: { readonly labels: Readonly<Record<string, string>> };
  readonly spec: { readonly terminationGracePeriodSeconds: number; readonly containers: readonly Partial<V1Container>[] };
}

/** A template of pods that wait until they are told to stop. */
export const template = (name: string, image: string, container: Partial<V1Container> = {}): PodTemplate => ({
  metadata: { labels: { app: name } },
  spec: { terminationGracePeriodSeconds: 1, containers: [{ name: 'main', image, ...container }] },
});

export const deployment = (namespace: string, name: string, image: string): object => ({
  apiVersion: 'apps/v1',
  kind: 'Deployment',
  metadata: { name, namespace },
  spec: { replicas: 1, selector: { matchLabels: { app: name } }, template: template(name, image) },
});

/** Resolves to the pod with the label `app` when it is Running and ready. Throws with what the kubelet says when it is not. */
export async function running(node: TestNode, namespace: string, app: string, seconds = patience): Promise<V1Pod> {
  return poll(
    `a running pod of ${namespace}/${app}`,
    async () => {
      const pods = await podsOf(node, namespace, app);
      const ready = pods.find(({ status }) => status?.conditions?.some(({ type, status: is }) => type === 'Ready' && is === 'True'));
      if (ready !== undefined) return ready;
      throw new Error(
        JSON.stringify(pods.map(({ spec, status }) => ({ images: spec?.containers.map(({ image }) => image), waiting: waiting(status) }))),
      );
    },
    seconds,
  );
}

/** Resolves to the pod when the kubelet has given up its first tries to pull the image. Its text differs by containerd; the reason does not. */
export const failingToPull = (node: TestNode, namespace: string, app: string): Promise<V1Pod> =>
  poll(`a pod of ${namespace}/${app} that cannot pull`, async () => {
    const pods = await podsOf(node, namespace, app);
    return pods.find(({ status }) => waiting(status).some(({ reason }) => reason === 'ImagePullBackOff'));
  });

export async function podsOf(node: TestNode, namespace: string, app: string): Promise<V1Pod[]> {
  const { stdout } = await node.kubectl(['get', 'pods', '--namespace', namespace, `--selector=app=${app}`, '--output=json']);
  return (JSON.parse(stdout) as V1PodList).items.filter(({ metadata }) => metadata?.deletionTimestamp === undefined);
}

const waiting = (status: V1Pod['status']) =>
  (status?.containerStatuses ?? []).flatMap(({ state }) => (state?.waiting === undefined ? [] : [state.waiting]));

export const imagesOf = (pod: V1Pod): (string | undefined)[] =>
  [...(pod.spec?.initContainers ?? []), ...(pod.spec?.containers ?? [])].map(({ image }) => image);
export const secretsOf = (pod: V1Pod): (string | undefined)[] => (pod.spec?.imagePullSecrets ?? []).map(({ name }) => name);
