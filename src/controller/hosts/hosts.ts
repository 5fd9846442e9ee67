/** The loop that resolves the hosts of registries with `hostFrom`, and writes them where `serve` mounts them from. */
import type { V1ConfigMap } from '@kubernetes/client-node';

import { describeError, retryAfterOf } from '../../cluster/api-error.ts';
import { Backoff } from '../../cluster/backoff.ts';
import { recordEvent } from '../../cluster/events.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import { hostsKey, hostsOf, hostsText, resolveHosts, type ResolvedPolicy } from './hosts-plan.ts';
import { HostWatches } from './host-watches.ts';
import { managedBy, managedByLabel } from '../labels.ts';
import type { Reconciler, ReconcilerContext, ReconcilerFactory } from '../reconciler.ts';
import { applyObject } from '../../cluster/object-writes.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import { StepQueue, type Rest } from '../step-queue.ts';

/** Milliseconds for which changes are gathered. */
const settleTime = 50;
/** Milliseconds until what was written is looked at again, should the watch never tell of it. */
const echoTime = 5_000;
const writeBackoff = { minimum: 1_000, maximum: 30_000 };

export const hostsReconciler: ReconcilerFactory = (context) => new HostsReconciler(context);

class HostsReconciler implements Reconciler {
  readonly name = 'hosts';
  readonly #context: ReconcilerContext;
  readonly #stopping = new AbortController();
  readonly #watches: HostWatches;
  readonly #queue: StepQueue<string>;
  readonly #backoff = new Backoff(writeBackoff);
  #written: ResourceWatch<V1ConfigMap> | null = null;
  #timer: NodeJS.Timeout | undefined;
  #last: ResolvedPolicy | null = null;
  #failure: string | null = null;

  constructor(context: ReconcilerContext) {
    this.#context = context;
    this.#watches = new HostWatches(context, () => this.#resolveSoon());
    this.#queue = new StepQueue({
      limit: 1,
      run: (_key, text) => this.#write(text),
      hasSeen: (_key, echo) => hasReached(this.#written?.list()[0], echo),
      onRested: () => this.#resolveSoon(),
    });
  }

  start(): void {
    const { namespace, hostsConfigMap } = this.#context.options;
    this.#written = observedWatch<V1ConfigMap>(this.#context, 'hosts', {
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      fieldSelector: `metadata.name=${hostsConfigMap}`,
      onEvent: ({ type }) => {
        this.#queue.look(hostsKey, type === 'deleted');
        this.#resolveSoon();
      },
    });
    this.#watches.follow(this.#context.policy().policy);
  }

  async stop(): Promise<void> {
    clearTimeout(this.#timer);
    this.#stopping.abort();
    this.#context.metrics.hosts.reset();
    await Promise.all([this.#queue.stop(), this.#watches.close(), this.#written?.close()]);
  }

  /** Ready also with hosts that cannot be resolved: that is the cluster's state, and no restart changes it. */
  isReady(): boolean {
    return this.#last !== null && this.#last.pending.size === 0 && this.#failure === null;
  }

  problems(): string[] {
    const unresolved = [...(this.#last?.problems ?? [])].map(([registry, problem]) => `registry ${registry}: ${problem}`);
    return this.#failure === null ? unresolved : [...unresolved, this.#failure];
  }

  policyChanged(): void {
    this.#watches.follow(this.#context.policy().policy);
    this.#resolveSoon();
  }

  #resolveSoon(): void {
    if (this.#timer !== undefined || this.#stopping.signal.aborted) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#resolve();
    }, settleTime);
  }

  #resolve(): void {
    if (this.#written?.isSynced !== true) return;
    const present = this.#written.list()[0];
    const presentText = present?.data?.[hostsKey];
    const before = hostsOf(present);
    const resolved = resolveHosts(this.#context.policy().policy, this.#watches, before);
    const text = hostsText(resolved.hosts);
    // Without any host there is nothing to say, unless something else has been said.
    const isMissing = presentText === undefined ? Object.keys(resolved.hosts).length > 0 : presentText !== text;
    this.#queue.replace(new Map(isMissing ? [[hostsKey, text]] : []));
    this.#tell(resolved);
    this.#last = resolved;
    this.#context.metrics.lastReconcile.set({ feature: this.name }, Date.now() / 1000);
  }

  async #write(text: string): Promise<Rest> {
    const { cluster, log, metrics, options } = this.#context;
    const metadata = { namespace: options.namespace, name: options.hostsConfigMap, labels: { [managedByLabel]: managedBy } };
    const map: V1ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [hostsKey]: text } };
    try {
      const version = await applyObject(cluster, map, this.#stopping.signal);
      this.#backoff.reset();
      this.#failure = null;
      metrics.writes.inc({ kind: 'configmap', verb: 'update', result: 'done' });
      log.info({ hosts: hostsOf(map) }, 'hosts written');
      return { delay: echoTime, echo: version };
    } catch (error) {
      if (this.#stopping.signal.aborted) return { delay: 0, echo: null };
      metrics.writes.inc({ kind: 'configmap', verb: 'update', result: 'failed' });
      this.#failure = `ConfigMap ${options.hostsConfigMap} could not be written: ${describeError(error)}`;
      log.warn({ reason: this.#failure }, 'hosts are not written; trying again');
      return { delay: this.#backoff.next(retryAfterOf(error)), echo: null };
    }
  }

  /** Each problem once, when it begins or changes. */
  #tell({ hosts, problems }: ResolvedPolicy): void {
    const { cluster, log, metrics, options } = this.#context;
    metrics.hosts.reset();
    for (const registry of Object.keys(hosts)) metrics.hosts.set({ registry }, 1);
    for (const [registry, problem] of problems) {
      metrics.hosts.set({ registry }, 0);
      if (this.#last?.problems.get(registry) === problem) continue;
      const message = `The host of registry ${registry} is not known: ${problem}. Until it is, \`host\` of the registry is used; without one its rules are not active.`;
      log.warn({ registry, problem }, 'the host of a registry is not known');
      const regarding = { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace: options.namespace, name: options.hostsConfigMap } };
      void recordEvent(cluster, { regarding, reason: 'HostUnresolved', message, type: 'Warning', action: 'ResolveHost' });
    }
  }
}
