/** Moves pods whose images cannot be pulled to the next alternative of their rule: watches, plans each pod, and writes. */
import type { KubernetesObject, V1Pod } from '@kubernetes/client-node';
import { LRUCache } from 'lru-cache';

import { keyOf } from '../../cluster/object-store.ts';
import type { ResourceWatch, WatchEvent } from '../../cluster/watch.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { done, requeueAfter, WorkQueue, type Requeue } from '../work-queue.ts';
import { Breakers } from '../breaker/breakers.ts';
import { isInScope, planFallback, type Move, type Plan, type PlanContext, type Stay } from './fallback-plan.ts';
import { FallbackWriter } from './fallback-writer.ts';
import { KnownCauses } from './known-causes.ts';
import { PatchRate } from './patch-rate.ts';
import { seenPod, type FailingContainer, type SeenPod } from './seen-pod.ts';

/** Concurrent writes. */
const concurrency = 4;
const patchRate = { perSecond: 5, burst: 10 };
/** A controller that starts may have a thousand pods to tell of: these do not delay the moves. */
const eventRate = { perSecond: 5, burst: 10 };
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
  readonly #patches = new PatchRate(patchRate, (key) => this.#queue.add(key));
  readonly #events = new PatchRate(eventRate, (key) => this.#queue.add(key));
  readonly #told = new LRUCache<string, true>({ max: maxTold });
  readonly #breakers: Breakers;
  /** By `namespace/name` of a pod. */
  readonly #queue: WorkQueue;
  #watches: Watches | null = null;

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#writer = new FallbackWriter(context, this.#stopping.signal);
    this.#breakers = new Breakers(context, () => this.#addFailing());
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
      project: (pod) => {
        this.#breakers.seen(pod);
        return this.#causes.complete(seenPod(pod));
      },
      pageSize: podPageSize,
      onEvent: (event) => this.#podChanged(event),
    });
    this.#watches = { namespaces, pods };
    this.#breakers.start();
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#patches.stop();
    this.#events.stop();
    await Promise.all([this.#queue.stop(), this.#breakers.stop(), this.#watches?.namespaces.close(), this.#watches?.pods.close()]);
  }

  isReady(): boolean {
    return this.#isSynced() && this.#breakers.isReady();
  }

  problems(): string[] {
    const { options, hostsFile } = this.#context;
    return [...this.#breakers.problems(), ...(options.features.includes('hosts') ? [] : hostsFile.problems())];
  }

  policyChanged(): void {
    this.#breakers.policyChanged();
    this.#addFailing();
  }

  #podChanged({ type, object }: WatchEvent<V1Pod & SeenPod>): void {
    if (type === 'synced') this.#addFailing();
    else if (type !== 'deleted' && object.failing.length > 0) this.#add(object);
  }

  #add(pod: SeenPod): void {
    this.#queue.add(keyOf(pod));
    if (this.#isSynced() && isInScope(pod, this.#planContext(pod))) this.#breakers.failed(pod);
  }

  #isSynced(): boolean {
    return this.#watches !== null && this.#watches.namespaces.isSynced && this.#watches.pods.isSynced;
  }

  /** @param namespace all of them by default */
  #addFailing(namespace?: string): void {
    // During the first list, namespaces would look opted out.
    if (this.#watches === null || !this.#isSynced()) return;
    for (const pod of this.#watches.pods.list())
      if (pod.failing.length > 0 && (namespace === undefined || pod.metadata.namespace === namespace)) this.#add(pod);
  }

  async #reconcile(key: string): Promise<Requeue> {
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
    const seen = this.#watches?.pods.get(key);
    // A process that was suspended does not know yet that another one leads.
    if (seen === undefined || !this.#isSynced() || !this.#context.isLeader()) return this.#leave(key);
    const pod = this.#writer.complete(seen);
    const plan = planFallback(pod, this.#planContext(pod));
    this.#tell(key, pod, plan);
    const delay = plan.moves.length === 0 ? 0 : Math.max(plan.delay, this.#writer.delayOf(pod));
    if (plan.moves.length > 0 && delay === 0 && !this.#context.options.fallbackDryRun)
      return this.#patches.take(key) ? this.#writer.move(pod, plan.moves) : done;
    this.#patches.giveUp(key);
    return delay > 0 ? requeueAfter(delay) : done;
  }

  #leave(key: string): Requeue {
    this.#patches.giveUp(key);
    this.#events.giveUp(key);
    return done;
  }

  /** What does not change the pod: each is told once. */
  #tell(key: string, pod: SeenPod, { moves, delay, stays }: Plan): void {
    const isNews = ({ container }: Move | Stay): boolean => !this.#told.has(toldKey(pod, container));
    const pretended = this.#context.options.fallbackDryRun && delay === 0 ? moves.filter(isNews) : [];
    const stayed = stays.filter(isNews);
    if (pretended.length + stayed.length === 0) return this.#events.giveUp(key);
    if (!this.#events.take(key)) return;
    for (const { container } of [...pretended, ...stayed]) this.#told.set(toldKey(pod, container), true);
    for (const stay of stayed) this.#writer.tellStay(pod, stay);
    this.#writer.pretend(pod, pretended);
  }

  #planContext({ metadata }: SeenPod): PlanContext {
    const namespace = this.#watches?.namespaces.get(metadata.namespace ?? '');
    return {
      policy: this.#context.policy(),
      scope: this.#context.options,
      namespaceLabels: namespace === undefined ? null : (namespace.metadata?.labels ?? {}),
      now: Date.now(),
    };
  }
}

const toldKey = ({ metadata }: SeenPod, { name, image }: FailingContainer): string => `${metadata.uid} ${name} ${image}`;
