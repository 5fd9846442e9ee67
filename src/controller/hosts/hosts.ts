/** Resolves the hosts of registries with `hostFrom`, and writes them to the ConfigMap that `serve` mounts. */
import type { V1ConfigMap } from '@kubernetes/client-node';

import { describeError, retryAfterOf } from '../../cluster/api-error.ts';
import { recordEvent } from '../../cluster/events.ts';
import { lastOtherWriter } from '../../cluster/field-managers.ts';
import { applyObject } from '../../cluster/object-writes.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import { disputeMessage, disputeProblem, Disputes } from '../disputes.ts';
import { managedBy, managedByLabel } from '../../cluster/copy-labels.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { done, requeueAfter, requeueUntil, WorkQueue, type Requeue } from '../work-queue.ts';
import { HostWatches } from './host-watches.ts';
import { hostsKey, hostsOf, hostsText, resolveHosts, type ResolvedPolicy } from './hosts-plan.ts';

/** Debounce, in milliseconds. */
const debounceMs = 50;
const backoff = { minDelay: 1_000, maxDelay: 30_000 };

export const hostsReconciler: ReconcilerFactory = (context) => new HostsReconciler(context);

class HostsReconciler implements Reconciler {
  readonly name = 'hosts';
  readonly #context: ReconcilerContext;
  readonly #stopping = new AbortController();
  readonly #watches: HostWatches;
  readonly #queue: WorkQueue;
  readonly #disputes = new Disputes();
  #written: ResourceWatch<V1ConfigMap> | null = null;
  #last: ResolvedPolicy | null = null;
  #failure: string | null = null;

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#queue = new WorkQueue({
      reconcile: () => this.#reconcile(),
      hasObserved: (_key, version) => hasReached(this.#written?.list()[0], version),
      debounceMs,
      backoff,
      onError: (_key, error) => this.#fail(error),
    });
    this.#watches = new HostWatches(context, () => this.#queue.add(hostsKey));
  }

  start(): void {
    const { namespace, hostsConfigMap } = this.#context.options;
    this.#written = observedWatch<V1ConfigMap>(this.#context, 'hosts', {
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      fieldSelector: `metadata.name=${hostsConfigMap}`,
      onEvent: () => this.#queue.add(hostsKey),
    });
    this.#watches.follow(this.#context.policy().policy);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    this.#context.metrics.hosts.reset();
    await Promise.all([this.#queue.stop(), this.#watches.close(), this.#written?.close()]);
  }

  /** Also ready with unresolved hosts: that is the state of the cluster, and a restart does not change it. */
  isReady(): boolean {
    return this.#last !== null && this.#last.pending.size === 0 && this.#failure === null;
  }

  problems(): string[] {
    return [
      ...[...(this.#last?.problems ?? [])].map(([registry, problem]) => `registry ${registry}: ${problem}`),
      ...(this.#disputes.isDisputed(hostsKey) ? [disputeProblem(`ConfigMap ${this.#context.options.hostsConfigMap}`)] : []),
      ...(this.#failure === null ? [] : [this.#failure]),
    ];
  }

  policyChanged(): void {
    this.#watches.follow(this.#context.policy().policy);
    this.#queue.add(hostsKey);
  }

  async #reconcile(): Promise<Requeue> {
    if (this.#written?.isSynced !== true) return done;
    const present = this.#written.list()[0];
    const presentText = present?.data?.[hostsKey];
    const resolved = resolveHosts(this.#context.policy().policy, this.#watches, hostsOf(present));
    const text = hostsText(resolved.hosts);
    this.#reportProblems(resolved);
    this.#last = resolved;
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
    // Without any host there is nothing to write, unless the ConfigMap has other hosts.
    const isWritten = presentText === undefined ? Object.keys(resolved.hosts).length === 0 : presentText === text;
    if (isWritten) {
      this.#failure = null;
      return done;
    }
    const delay = this.#disputes.delay(hostsKey, text);
    // Looked at before the write: afterwards the object names this controller only.
    return delay > 0 ? requeueAfter(delay) : this.#write(text, lastOtherWriter(present?.metadata));
  }

  /** @param writer field manager of the last write by another client, if known */
  async #write(text: string, writer: string | undefined): Promise<Requeue> {
    const { cluster, log, metrics, options } = this.#context;
    const metadata = { namespace: options.namespace, name: options.hostsConfigMap, labels: { [managedByLabel]: managedBy } };
    const map: V1ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [hostsKey]: text } };
    try {
      const version = await applyObject(cluster, map, this.#stopping.signal);
      this.#failure = null;
      metrics.writes.inc({ kind: 'configmap', verb: 'update', result: 'done' });
      log.info({ hosts: hostsOf(map) }, 'hosts written');
      if (this.#disputes.written(hostsKey, text)) this.#reportDispute(writer);
      return requeueUntil(version);
    } catch (error) {
      if (this.#stopping.signal.aborted) return done;
      metrics.writes.inc({ kind: 'configmap', verb: 'update', result: 'failed' });
      this.#fail(error);
      return { result: 'failed', retryAfter: retryAfterOf(error) };
    }
  }

  #fail(error: unknown): void {
    this.#failure = `ConfigMap ${this.#context.options.hostsConfigMap} could not be written: ${describeError(error)}`;
    this.#context.log.warn({ reason: this.#failure }, 'hosts are not written; trying again');
    this.#record('HostsNotWritten', this.#failure);
  }

  #reportDispute(writer: string | undefined): void {
    const { hostsConfigMap } = this.#context.options;
    this.#context.log.warn({ configMap: hostsConfigMap, writer }, 'the hosts are repeatedly changed or deleted by another client');
    this.#record('WriteDisputed', disputeMessage(`ConfigMap ${hostsConfigMap}`, writer));
  }

  #record(reason: string, message: string): void {
    const { cluster, options } = this.#context;
    const regarding = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: options.namespace, name: options.hostsConfigMap } };
    void recordEvent(cluster, { regarding, reason, message, type: 'Warning', action: 'ResolveHost' });
  }

  /** Reports each problem once, when it begins or changes. */
  #reportProblems({ hosts, problems }: ResolvedPolicy): void {
    const { log, metrics } = this.#context;
    metrics.hosts.reset();
    for (const registry of Object.keys(hosts)) metrics.hosts.set({ registry }, 1);
    for (const [registry, problem] of problems) {
      metrics.hosts.set({ registry }, 0);
      if (this.#last?.problems.get(registry) === problem) continue;
      log.warn({ registry, problem }, 'the host of a registry is not resolved');
      const message = `The host of registry ${registry} is not resolved: ${problem}. Until it is, \`host\` of the registry is used; without one its rules are not active.`;
      this.#record('HostUnresolved', message);
    }
  }
}
