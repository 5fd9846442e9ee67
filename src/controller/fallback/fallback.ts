/** Moves pods whose images cannot be pulled to the next alternative of their rule: watches, plans each pod, and writes. */
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { LRUCache } from 'lru-cache';

import { keyOf } from '../../cluster/object-store.ts';
import type { ResourceWatch, WatchEvent } from '../../cluster/watch.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { done, requeueAfter, WorkQueue, type Requeue } from '../work-queue.ts';
import { planFallback, type Plan } from './fallback-plan.ts';
import { FallbackWriter } from './fallback-writer.ts';
import { KnownCauses } from './known-causes.ts';
import { PatchRate } from './patch-rate.ts';
import { seenPod, type SeenPod } from './seen-pod.ts';

/** Concurrent writes. */
const concurrency = 4;
const patchRate = { perSecond: 5, burst: 10 };
/** Pods per page: a page is in memory as a whole. */
const podPageSize = 100;
/** What was told once is not told again. */
const maxTold = 10_000;

export const fallbackReconciler: ReconcilerFactory = (context) => new FallbackReconciler(context);

interface Watches {
  readonly namespaces: ResourceWatch<KubernetesObject>;
  readonly pods: ResourceWatch<V1Pod & SeenPod>;
}

class FallbackReconciler implements Reconciler {
  readonly name = 'fallback';
  readonly #context: ReconcilerContext;
  readonly #stopping = new AbortController();
  readonly #writer: FallbackWriter;
  readonly #causes = new KnownCauses();
  readonly #rate = new PatchRate(patchRate);
  readonly #told = new LRUCache<string, true>({ max: maxTold });
  /** By `namespace/name` of a pod. */
  readonly #queue: WorkQueue;
  #watches: Watches | null = null;

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#writer = new FallbackWriter(context, this.#stopping.signal);
    this.#queue = new WorkQueue({
      reconcile: (key) => this.#reconcile(key),
      hasObserved: (key, version) => hasReached(this.#watches?.pods.get(key), version),
      concurrency,
    });
  }

  start(): void {
    const namespaces = observedWatch<KubernetesObject>(this.#context, 'namespaces', {
      path: '/api/v1/namespaces',
      project: ({ metadata }) => ({
        metadata: { ...(metadata?.name !== undefined && { name: metadata.name }), labels: metadata?.labels ?? {} },
      }),
      onEvent: ({ type, object }) => {
        if (type !== 'synced') this.#addFailing(object.metadata?.name);
        else this.#addFailing();
      },
    });
    const pods = observedWatch<V1Pod & SeenPod>(this.#context, 'pods', {
      path: '/api/v1/pods',
      fieldSelector: 'status.phase!=Succeeded,status.phase!=Failed',
      project: (pod) => this.#causes.complete(seenPod(pod)),
      pageSize: podPageSize,
      onEvent: (event) => this.#podChanged(event),
    });
    this.#watches = { namespaces, pods };
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#queue.stop(), this.#watches?.namespaces.close(), this.#watches?.pods.close()]);
  }

  isReady(): boolean {
    return this.#watches !== null && this.#watches.namespaces.isSynced && this.#watches.pods.isSynced;
  }

  policyChanged(): void {
    this.#addFailing();
  }

  #podChanged({ type, object }: WatchEvent<V1Pod & SeenPod>): void {
    if (type === 'synced') this.#addFailing();
    else if (type !== 'deleted' && object.failing.length > 0) this.#queue.add(keyOf(object));
  }

  /** @param namespace all of them by default */
  #addFailing(namespace?: string): void {
    // During the first list, namespaces would look opted out.
    if (this.#watches === null || !this.isReady()) return;
    for (const pod of this.#watches.pods.list())
      if (pod.failing.length > 0 && (namespace === undefined || pod.metadata.namespace === namespace)) this.#queue.add(keyOf(pod));
  }

  async #reconcile(key: string): Promise<Requeue> {
    const pod = this.#watches?.pods.get(key);
    if (pod === undefined || !this.isReady()) return done;
    const plan = this.#plan(pod);
    for (const stay of plan.stays) if (this.#isNews(pod, stay.container.name, stay.container.image)) this.#writer.tellStay(pod, stay);
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
    if (plan.moves.length === 0) return done;
    if (plan.delay > 0) return requeueAfter(plan.delay);
    if (this.#context.options.fallbackDryRun) {
      const news = plan.moves.filter(({ container }) => this.#isNews(pod, container.name, container.image));
      this.#writer.pretend(pod, news);
      return done;
    }
    const delay = this.#rate.take();
    return delay > 0 ? { result: 'notBefore', delay } : this.#writer.move(pod, plan.moves);
  }

  #plan(pod: SeenPod): Plan {
    const namespace = this.#watches?.namespaces.get(pod.metadata.namespace ?? '');
    return planFallback(pod, {
      policy: this.#context.policy(),
      scope: this.#context.options,
      namespaceLabels: namespace === undefined ? null : (namespace.metadata?.labels ?? {}),
      now: Date.now(),
    });
  }

  #isNews({ metadata }: SeenPod, container: string, image: string): boolean {
    const key = `${metadata.uid} ${container} ${image}`;
    if (this.#told.has(key)) return false;
    this.#told.set(key, true);
    return true;
  }
}
