/**
 * Runs the pods of transship as processes of this machine, and carries connections from its Services to those that are ready: what kubelet and kube-proxy do.
 * Everything else is the real thing: scheduler, controller manager, garbage collector, endpoints.
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1EndpointSlice, V1Pod, V1Service } from '@kubernetes/client-node';

import type { ControlPlane, TestScope } from '../../cluster/control-plane.ts';
import { startServiceProxy, type ServiceProxy } from '../../contract/service-proxy.ts';
import { PodProcess, type PodAddress } from './pod-process.ts';

export interface Node {
  /** Logs of the pods whose name begins so, of those that run. */
  logs(prefix: string): string;
}

const selector = encodeURIComponent('app.kubernetes.io/part-of=transship');

/** Until the test ends. @param namespace of the release; it may come and go */
export function runNode(t: TestScope, plane: ControlPlane, namespace: string): Node {
  const pods = new Map<string, PodProcess>();
  const proxies = new Map<string, ServiceProxy>();
  const leaving = new Set<Promise<number>>();
  const ending = new AbortController();
  const list = async <T>(path: string): Promise<readonly T[]> => (await plane.api.send<{ items?: T[] }>('GET', path)).body.items ?? [];

  async function syncPods(): Promise<void> {
    const present = await list<V1Pod>(`/api/v1/namespaces/${namespace}/pods?labelSelector=${selector}`);
    const uids = new Set(present.map(({ metadata }) => metadata?.uid ?? ''));
    for (const [uid, pod] of pods) {
      if (uids.has(uid)) continue;
      pods.delete(uid);
      leaving.add(pod.end());
    }
    for (const pod of present) {
      const uid = pod.metadata?.uid ?? '';
      if (pod.spec?.nodeName === undefined || pod.metadata?.deletionTimestamp !== undefined || pods.has(uid)) continue;
      pods.set(uid, new PodProcess(plane, pod, addressOf(plane)));
    }
    await Promise.all([...pods.values()].map((pod) => pod.sync()));
  }

  /** Each Service has the ready endpoints that the controller manager has found. */
  async function syncServices(): Promise<void> {
    const services = await list<V1Service>(`/api/v1/namespaces/${namespace}/services?labelSelector=${selector}`);
    const slices = await list<V1EndpointSlice>(`/apis/discovery.k8s.io/v1/namespaces/${namespace}/endpointslices`);
    const addresses = new Map([...pods.values()].map(({ address }) => [address.podIP, address.host]));
    const routed = new Set<string>();
    for (const { metadata, spec } of services) {
      const [host, port] = [spec?.clusterIP ?? '', spec?.ports?.[0]?.port ?? 0];
      const key = `${host}:${port}`;
      routed.add(key);
      if (!proxies.has(key)) proxies.set(key, await startServiceProxy(t, { host, port }));
      const own = slices.filter((slice) => slice.metadata?.labels?.['kubernetes.io/service-name'] === metadata?.name);
      const ready = own.flatMap((slice) =>
        (slice.endpoints ?? [])
          .filter(({ conditions }) => conditions?.ready === true)
          .map((endpoint) => ({ ip: endpoint.addresses[0] ?? '', slice })),
      );
      proxies
        .get(key)
        ?.route(
          ready.flatMap(({ ip, slice }) =>
            addresses.has(ip) ? [{ host: addresses.get(ip) ?? '', port: slice.ports?.[0]?.port ?? 0 }] : [],
          ),
        );
    }
    for (const [key, proxy] of proxies) if (!routed.has(key)) proxy.route([]);
  }

  const work = async (): Promise<void> => {
    while (!ending.signal.aborted) {
      // While the API server goes down at the end there is nothing to keep.
      await syncPods()
        .then(syncServices)
        .catch((error: unknown) => ending.signal.aborted || t.comment(`node: ${error instanceof Error ? error.message : String(error)}`));
      await sleep(100);
    }
  };
  const worked = work();
  t.teardown(async () => {
    ending.abort();
    await worked;
  });
  return {
    logs: (prefix) =>
      [...pods.values()]
        .filter(({ name }) => name.startsWith(prefix))
        .map((pod) => pod.log())
        .join('\n'),
  };
}

let count = 0;

/** Each pod has an address of its own in its life: nobody must be sent to one that was another's. */
function addressOf({ serviceCidr }: ControlPlane): PodAddress {
  const number = ++count;
  const [high, low] = [200 + Math.floor(number / 250), 1 + (number % 250)];
  return { host: serviceCidr.replace(/\.0\.0\/17$/, `.${high}.${low}`), podIP: `10.250.${high}.${low}` };
}
