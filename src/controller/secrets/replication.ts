/** Keeps copies of pull secrets in the namespaces of the pods: watches, plans each Secret, and writes. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { keyOf } from '../../cluster/object-store.ts';
import type { WatchEvent, ResourceWatch } from '../../cluster/watch.ts';
import { managedBy, managedByLabel, ownerLabel, ownerOf } from '../../cluster/copy-labels.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { done, requeueAfter, WorkQueue, type Requeue } from '../work-queue.ts';
import { signatureOf, type CopyWithContent, type DesiredCopy } from './copy.ts';
import { recordCopyEvent } from './copy-events.ts';
import { countCopies } from './copy-states.ts';
import { CopyWriter } from './copy-writer.ts';
import { isNamedByPod } from './pod-usage.ts';
import { desiredCopies, stepFor, type ReplicationStep, type StepContext } from './replication-plan.ts';
import { Retention } from './retention.ts';
import { seenSecret, type SecretObject } from './seen-secret.ts';
import { Sources } from './sources.ts';
import type { TargetNamespace } from './target-namespaces.ts';
import { UnmatchedRegistries } from './unmatched-registries.ts';

/** Debounce in milliseconds: changes seldom come alone. */
const debounceMs = 20;
/** Milliseconds between two plans: a thousand namespaces arrive as a thousand changes, and a plan covers all of them. */
const planIntervalMs = 250;
/** Concurrent writes: few, so that other clients of the API server are not slowed down. */
const concurrency = 8;
/** Secrets per page: a page is in memory as a whole, and a Secret has up to 1 MiB. */
const secretPageSize = 100;

export const secretsReconciler: ReconcilerFactory = (context) => new SecretsReconciler(context);

class SecretsReconciler implements Reconciler {
  readonly name = 'secrets';
  readonly #context: ReconcilerContext;
  readonly #owner: string;
  readonly #stopping = new AbortController();
  readonly #writer: CopyWriter;
  readonly #retention: Retention;
  readonly #sources: Sources;
  readonly #unmatched: UnmatchedRegistries;
  /** The key of the plan: from the policy and the namespaces to the desired copies. */
  readonly #plans: WorkQueue;
  /** By `namespace/name` of a Secret. */
  readonly #copies: WorkQueue;
  #watches: Watches | null = null;
  /** Null before the first plan. */
  #desired: ReadonlyMap<string, DesiredCopy> | null = null;
  #stopReading = (): void => {};

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#owner = ownerOf(context.options);
    this.#writer = new CopyWriter(context, { owner: this.#owner, signal: this.#stopping.signal });
    this.#retention = new Retention(context.options.pullSecretRetention);
    this.#unmatched = new UnmatchedRegistries(context);
    this.#plans = new WorkQueue({ reconcile: async () => this.#plan(), debounceMs, intervalMs: planIntervalMs });
    this.#copies = new WorkQueue({
      reconcile: (key) => this.#reconcile(key),
      hasObserved: (key, version) => hasReached(this.#watches?.copies.get(key), version),
      concurrency,
    });
    this.#sources = new Sources(context, () => this.#plans.add('plan'));
  }

  start(): void {
    const namespaces = observedWatch<KubernetesObject>(this.#context, 'namespaces', {
      path: '/api/v1/namespaces',
      project: withLabels,
      onEvent: () => this.#plans.add('plan'),
    });
    const copies = observedWatch<SecretObject>(this.#context, 'copies', {
      path: '/api/v1/secrets',
      labelSelector: `${managedByLabel}=${managedBy},${ownerLabel}=${this.#owner}`,
      project: seenSecret,
      pageSize: secretPageSize,
      onEvent: (event) => this.#copyChanged(event),
    });
    this.#watches = { namespaces, copies };
    this.#stopReading = this.#context.metrics.onScrape(() => this.#measure());
    this.#sources.follow(this.#context.policy().policy);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#stopReading();
    this.#context.metrics.copies.reset();
    await Promise.all([
      this.#plans.stop(),
      this.#copies.stop(),
      this.#sources.close(),
      this.#watches?.namespaces.close(),
      this.#watches?.copies.close(),
    ]);
  }

  isReady(): boolean {
    return this.#desired !== null;
  }

  problems(): string[] {
    return [
      ...this.#sources.problems(),
      ...this.#unmatched.problems(),
      ...this.#writer.foreign.conflicting().map((key) => `Secret ${key} was not written by transship and is left as it is`),
      ...this.#writer.disputes.disputed().map((key) => `Secret ${key} is repeatedly changed or deleted by another client`),
      ...[...this.#writer.failures].map(([key, what]) => `Secret ${key} ${what}`),
    ];
  }

  policyChanged(): void {
    this.#sources.follow(this.#context.policy().policy);
    this.#plans.add('plan');
  }

  #copyChanged({ type, object }: WatchEvent<SecretObject>): void {
    if (type === 'synced') this.#plans.add('plan');
    else this.#copies.add(keyOf(object));
  }

  #plan(): Requeue {
    // During the first list, namespaces would look opted out, and copies missing.
    if (this.#watches === null || !this.#watches.namespaces.isSynced || !this.#watches.copies.isSynced) return done;
    const { namespaces, copies } = this.#watches;
    const desired = desiredCopies(this.#stepContext(), namespaces.list().map(targetOf), this.#context.options);
    this.#desired = desired;
    const isKnown = (key: string): boolean => desired.has(key) || copies.get(key) !== undefined;
    this.#copies.retain(isKnown);
    this.#writer.retain(isKnown);
    this.#retention.retain((key) => !desired.has(key) && copies.get(key) !== undefined);
    for (const key of new Set([...desired.keys(), ...copies.list().map(keyOf)])) {
      if (this.#stepOf(key).verb !== 'none') this.#copies.add(key);
    }
    this.#unmatched.update(this.#context.policy().policy, desired.values());
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
    return done;
  }

  async #reconcile(key: string): Promise<Requeue> {
    if (this.#desired === null) return done;
    const step = this.#stepOf(key);
    if (step.verb !== 'release' && this.#retention.has(key)) this.#retention.forget(key);
    switch (step.verb) {
      case 'none':
        this.#writer.failures.delete(key);
        return done;
      case 'leave':
        this.#writer.foreign.found(key, step.present, step.desired);
        return done;
      case 'release':
        return await this.#release(key, step);
      case 'replace':
      case 'create':
      case 'update':
        return await this.#write(key, step);
    }
  }

  async #write(key: string, step: Extract<ReplicationStep, { readonly desired: CopyWithContent }>): Promise<Requeue> {
    const delay = this.#writer.disputes.delay(key, signatureOf(step.desired));
    if (delay > 0) return requeueAfter(delay);
    return await this.#writer.write(key, step.verb === 'replace' ? { verb: 'delete', present: step.present } : step);
  }

  async #release(key: string, { present, refreshed }: Extract<ReplicationStep, { verb: 'release' }>): Promise<Requeue> {
    const { cluster, log } = this.#context;
    const { namespace = '', name = '' } = present.metadata ?? {};
    try {
      const decision = await this.#retention.decide(key, () => isNamedByPod(cluster, { namespace, name }, this.#stopping.signal));
      if (decision.result === 'released') return await this.#writer.write(key, { verb: 'delete', present });
      if (decision.isNewlyNamed) {
        log.info({ secret: key }, 'a pull secret is no longer wanted; it is kept while pods reference it');
        const message = 'The policy no longer wants this copy. It is kept while a pod in the namespace references it, and then deleted.';
        recordCopyEvent(cluster, { secret: present, reason: 'CopyRetained', message, type: 'Normal' });
      }
      this.#writer.failures.delete(key);
      if (refreshed !== null) return await this.#write(key, { verb: 'update', desired: refreshed, present });
      return requeueAfter(decision.delay);
    } catch (error) {
      return this.#writer.failed(key, 'is kept, since the pods that may reference it could not be listed', error);
    }
  }

  #stepOf(key: string): ReplicationStep {
    return stepFor(this.#desired?.get(key), this.#watches?.copies.get(key), this.#stepContext());
  }

  #stepContext(): StepContext {
    return {
      policy: this.#context.policy().policy,
      content: (registry) => this.#sources.content(registry),
      scope: this.#context.options,
      owner: this.#owner,
      isLiving: (name) => {
        const namespace = this.#watches?.namespaces.get(name);
        return namespace !== undefined && namespace.metadata?.deletionTimestamp === undefined;
      },
    };
  }

  #measure(): void {
    const copies = this.#watches?.copies;
    countCopies(this.#context.metrics.copies, {
      policy: this.#context.policy().policy,
      desired: this.#desired ?? new Map(),
      retained: copies?.list().filter((copy) => this.#retention.has(keyOf(copy))) ?? [],
      present: (key) => copies?.get(key),
      writer: this.#writer,
      owner: this.#owner,
    });
  }
}

interface Watches {
  readonly namespaces: ResourceWatch<KubernetesObject>;
  readonly copies: ResourceWatch<SecretObject>;
}

/** The kept fields of a namespace. */
function withLabels({ metadata }: KubernetesObject): KubernetesObject {
  const { name, deletionTimestamp, labels = {} } = metadata ?? {};
  return { metadata: { ...(name !== undefined && { name }), ...(deletionTimestamp !== undefined && { deletionTimestamp }), labels } };
}

function targetOf({ metadata }: KubernetesObject): TargetNamespace {
  return {
    name: metadata?.name ?? '',
    labels: metadata?.labels ?? {},
    isTerminating: metadata?.deletionTimestamp !== undefined,
  };
}
