/** The watches that the hosts of a policy need: exactly the Services that it names, and nodes or KEP-1755 only if used. */
import type { KubernetesObject, V1ConfigMap, V1Node, V1Service } from '@kubernetes/client-node';

import type { ResourceWatch } from '../../cluster/watch.ts';
import type { RewritePolicy } from '../../policy/types.ts';
import { hostingConfigMap, type HostSources } from './hosts-plan.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { observedWatch } from '../observed-watch.ts';

interface Wanted {
  readonly path: string;
  readonly fieldSelector?: string;
  readonly project?: (object: KubernetesObject) => KubernetesObject;
}

export class HostWatches implements HostSources {
  readonly #context: ReconcilerContext;
  readonly #changed: () => void;
  /** By what they are of. */
  readonly #watches = new Map<string, ResourceWatch<KubernetesObject>>();
  readonly #closing = new Set<Promise<void>>();

  constructor(context: ReconcilerContext, changed: () => void) {
    this.#context = context;
    this.#changed = changed;
  }

  /** Opens the watches that the policy needs and closes those that it no longer needs. */
  follow(policy: RewritePolicy): void {
    const wanted = wantedBy(policy);
    for (const [name, watch] of this.#watches) if (!wanted.has(name)) this.#drop(name, watch);
    for (const [name, options] of wanted) {
      if (!this.#watches.has(name))
        this.#watches.set(name, observedWatch<KubernetesObject>(this.#context, name, { ...options, onEvent: () => this.#changed() }));
    }
  }

  service(namespace: string, name: string): V1Service | null | undefined {
    return this.#only(serviceKey(namespace, name));
  }

  hosting(): V1ConfigMap | null | undefined {
    return this.#only(hostingKey);
  }

  nodes(): readonly V1Node[] | undefined {
    const watch = this.#watches.get(nodesKey);
    return watch?.isSynced === true ? watch.list() : undefined;
  }

  async close(): Promise<void> {
    for (const [name, watch] of this.#watches) this.#drop(name, watch);
    await Promise.all(this.#closing);
  }

  #drop(name: string, watch: ResourceWatch<KubernetesObject>): void {
    this.#watches.delete(name);
    const closed = watch.close().finally(() => this.#closing.delete(closed));
    this.#closing.add(closed);
  }

  #only(name: string): KubernetesObject | null | undefined {
    const watch = this.#watches.get(name);
    return watch?.isSynced === true ? (watch.list()[0] ?? null) : undefined;
  }
}

const nodesKey = 'nodes';
const hostingKey = 'local-registry-hosting';
const serviceKey = (namespace: string, name: string): string => `service:${namespace}/${name}`;

function wantedBy({ registries }: RewritePolicy): Map<string, Wanted> {
  const wanted = new Map<string, Wanted>();
  for (const { hostFrom } of Object.values(registries)) {
    if (hostFrom === undefined) continue;
    if ('service' in hostFrom) {
      const { namespace, name, via } = hostFrom.service;
      wanted.set(serviceKey(namespace, name), {
        path: `/api/v1/namespaces/${encodeURIComponent(namespace)}/services`,
        fieldSelector: `metadata.name=${name}`,
      });
      if (via === 'nodeIP') wanted.set(nodesKey, { path: '/api/v1/nodes', project: withoutImages });
    } else {
      wanted.set(hostingKey, {
        path: `/api/v1/namespaces/${hostingConfigMap.namespace}/configmaps`,
        fieldSelector: `metadata.name=${hostingConfigMap.name}`,
      });
    }
  }
  return wanted;
}

/** A node lists its images, which are most of the object. */
function withoutImages(node: V1Node): V1Node {
  const { metadata, status } = node;
  return {
    metadata: { ...(metadata?.name !== undefined && { name: metadata.name }) },
    status: {
      ...(status?.conditions && { conditions: status.conditions.filter(({ type }) => type === 'Ready') }),
      ...(status?.addresses && { addresses: status.addresses }),
    },
  };
}
