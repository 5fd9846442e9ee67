/** The loop that keeps copies of pull secrets where the pods are: watches, plans, and writes what the plan says is missing. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { keyOf } from '../../cluster/object-store.ts';
import type { WatchEvent, ResourceWatch } from '../../cluster/watch.ts';
import { rewriteLabel } from '../../pod/labels.ts';
import { isAsDesired, withoutContent, type DesiredCopy, type SecretObject } from './copy.ts';
import { CopyWriter } from './copy-writer.ts';
import { managedBy, managedByLabel, ownerLabel, ownerOf } from '../labels.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import type { CopyState } from '../metrics.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import { planReplication, type ReplicationPlan, type ReplicationStep } from './replication-plan.ts';
import { Sources } from './sources.ts';
import { StepQueue } from '../step-queue.ts';
import type { TargetNamespace } from './target-namespaces.ts';

/** Milliseconds for which changes are gathered, since one seldom comes alone. */
const settleTime = 20;
/** Milliseconds between two plans: a thousand namespaces arrive as a thousand changes, and a plan looks at all of them. */
const planInterval = 250;
/** Writes at once. The API server has a fair share for each client, and a webhook that is slow to everybody helps nobody. */
const concurrency = 8;
/** Secrets a page: a page is in memory as a whole, and a Secret has up to 1 MiB. */
const secretPageSize = 100;

export const secretsReconciler: ReconcilerFactory = (context) => new SecretsReconciler(context);

class SecretsReconciler implements Reconciler {
  readonly name = 'secrets';
  readonly #context: ReconcilerContext;
  readonly #owner: string;
  readonly #stopping = new AbortController();
  readonly #writer: CopyWriter;
  readonly #queue: StepQueue<ReplicationStep>;
  readonly #sources: Sources;
  #watches: Watches | null = null;
  #timer: NodeJS.Timeout | undefined;
  #lastPlanned = Number.NEGATIVE_INFINITY;
  #lastPlan: ReplicationPlan | null = null;
  #stopReading = (): void => {};

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#owner = ownerOf(context.options);
    this.#writer = new CopyWriter(context, this.#owner, this.#stopping.signal);
    this.#queue = new StepQueue({
      limit: concurrency,
      run: (key, step) => this.#writer.write(key, step),
      hasSeen: (key, echo) => hasReached(this.#watches?.copies.get(key), echo),
      onRested: () => this.#planSoon(),
    });
    this.#sources = new Sources(context, () => this.#planSoon());
  }

  start(): void {
    const namespaces = observedWatch<KubernetesObject>(this.#context, 'namespaces', {
      path: '/api/v1/namespaces',
      project: withRewriteLabel,
      onEvent: () => this.#planSoon(),
    });
    const copies = observedWatch<SecretObject>(this.#context, 'copies', {
      path: '/api/v1/secrets',
      labelSelector: `${managedByLabel}=${managedBy},${ownerLabel}=${this.#owner}`,
      project: withoutContent,
      pageSize: secretPageSize,
      onEvent: (change) => this.#copyChanged(change),
    });
    this.#watches = { namespaces, copies };
    this.#stopReading = this.#context.metrics.onScrape(() => this.#measure());
    this.#sources.follow(this.#context.policy().policy);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    this.#stopReading();
    this.#context.metrics.copies.reset();
    await Promise.all([this.#queue.stop(), this.#sources.close(), this.#watches?.namespaces.close(), this.#watches?.copies.close()]);
  }

  isReady(): boolean {
    return this.#lastPlan !== null;
  }

  problems(): string[] {
    return [
      ...this.#sources.problems(),
      ...[...this.#writer.foreign].map((key) => `Secret ${key} is not of transship`),
      ...[...this.#writer.failed].map((key) => `Secret ${key} could not be written`),
    ];
  }

  policyChanged(): void {
    this.#sources.follow(this.#context.policy().policy);
    this.#planSoon();
  }

  #copyChanged({ type, object }: WatchEvent<SecretObject>): void {
    if (type !== 'synced') this.#queue.look(keyOf(object), type === 'deleted');
    this.#planSoon();
  }

  #planSoon(): void {
    if (this.#timer !== undefined || this.#stopping.signal.aborted) return;
    const wait = Math.max(settleTime, this.#lastPlanned + planInterval - performance.now());
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#lastPlanned = performance.now();
      this.#plan();
    }, wait);
  }

  #plan(): void {
    // Half a list looks like namespaces that were opted out, and copies that are missing.
    if (this.#watches === null || !this.#watches.namespaces.isSynced || !this.#watches.copies.isSynced) return;
    const { namespaces, copies } = this.#watches;
    const state = {
      policy: this.#context.policy().policy,
      content: (registry: string) => this.#sources.content(registry),
      namespaces: namespaces.list().map(targetOf),
      copies: copies.list(),
    };
    const plan = planReplication(state, this.#context.options);
    this.#writer.forget((key) => plan.steps.has(key));
    this.#queue.replace(plan.steps);
    this.#lastPlan = plan;
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
  }

  #measure(): void {
    const { copies } = this.#context.metrics;
    copies.reset();
    for (const [registry, { credentials }] of Object.entries(this.#context.policy().policy.registries)) {
      if (credentials !== undefined) for (const state of copyStates) copies.set({ registry, state }, 0);
    }
    for (const [key, copy] of this.#lastPlan?.desired ?? []) {
      copies.inc({ registry: copy.registry, state: 'desired' });
      const state = this.#stateOf(key, copy);
      if (state !== null) copies.inc({ registry: copy.registry, state });
    }
  }

  /** Null while it is being written. */
  #stateOf(key: string, copy: DesiredCopy): CopyState | null {
    const present = this.#watches?.copies.get(key);
    if (present !== undefined && (copy.content === null || isAsDesired(present, copy, copy.content))) return 'present';
    if (this.#writer.foreign.has(key)) return 'foreign';
    if (this.#writer.failed.has(key)) return 'failed';
    return copy.content === null ? 'waiting' : null;
  }
}

interface Watches {
  readonly namespaces: ResourceWatch<KubernetesObject>;
  readonly copies: ResourceWatch<SecretObject>;
}

const copyStates: readonly CopyState[] = ['desired', 'present', 'failed', 'foreign', 'waiting'];

/** What is kept of a namespace. */
function withRewriteLabel({ metadata }: KubernetesObject): KubernetesObject {
  const { name, deletionTimestamp, labels } = metadata ?? {};
  const rewrite = labels?.[rewriteLabel];
  return {
    metadata: {
      ...(name !== undefined && { name }),
      ...(deletionTimestamp !== undefined && { deletionTimestamp }),
      ...(rewrite !== undefined && { labels: { [rewriteLabel]: rewrite } }),
    },
  };
}

function targetOf({ metadata }: KubernetesObject): TargetNamespace {
  return {
    name: metadata?.name ?? '',
    rewrite: metadata?.labels?.[rewriteLabel],
    isTerminating: metadata?.deletionTimestamp !== undefined,
  };
}
