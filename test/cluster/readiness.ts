/** What has to be there before a test may create pods: a ServiceAccount in the namespace, and a node that takes them. */
import type { V1Node } from '@kubernetes/client-node';

import type { Api } from './api.ts';
import { waitUntil, type Supervised } from './process.ts';

/** The API server makes them beside its start, and may be ready before. */
export async function waitForSystemNamespaces(api: Api, apiServer: Supervised): Promise<void> {
  for (const name of ['default', 'kube-system', 'kube-public', 'kube-node-lease'])
    await waitUntil(apiServer, `namespace ${name}`, async () => (await api.send('GET', `/api/v1/namespaces/${name}`)).status === 200);
}

/** Without a controller manager nobody makes it, and the ServiceAccount admission plug-in refuses every pod. */
export async function makeDefaultServiceAccount(api: Api, namespace: string): Promise<void> {
  const { status, body } = await api.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, { metadata: { name: 'default' } });
  if (status !== 201) throw new Error(`no ServiceAccount default in ${namespace}: ${JSON.stringify(body)}`);
}

export function waitForDefaultServiceAccount(api: Api, namespace: string, controllerManager: Supervised): Promise<void> {
  const path = `/api/v1/namespaces/${namespace}/serviceaccounts/default`;
  return waitUntil(controllerManager, `ServiceAccount default in ${namespace}`, async () => (await api.send('GET', path)).status === 200);
}

const node: V1Node = {
  metadata: { name: 'fake-0', labels: { 'kubernetes.io/hostname': 'fake-0', 'kubernetes.io/os': 'linux', 'kubernetes.io/arch': 'amd64' } },
};

/** Makes a Node that kwok then plays, and waits until pods may be scheduled there. */
export async function startFakeNode(api: Api, kwok: Supervised): Promise<void> {
  const { status, body } = await api.send('POST', '/api/v1/nodes', node);
  if (status !== 201) throw new Error(`no fake node: ${JSON.stringify(body)}`);
  await waitUntil(kwok, 'node that takes pods', async () => {
    const { body: current } = await api.send<V1Node>('GET', '/api/v1/nodes/fake-0');
    const ready = current.status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
    // The not-ready taint goes only when the node lifecycle controller has seen that the Node is ready.
    return ready && current.spec?.taints === undefined;
  });
}

/** Makes a namespace in which pods can be created at once, also at level 1, where `controllerManager` is undefined. */
export async function createNamespace(
  api: Api,
  controllerManager: Supervised | undefined,
  { name, labels }: { name: string; labels: Record<string, string> },
): Promise<void> {
  const { status, body } = await api.send('POST', '/api/v1/namespaces', { metadata: { name, labels } });
  if (status !== 201) throw new Error(`no namespace ${name}: ${JSON.stringify(body)}`);
  if (controllerManager === undefined) return makeDefaultServiceAccount(api, name);
  await waitForDefaultServiceAccount(api, name, controllerManager);
}
