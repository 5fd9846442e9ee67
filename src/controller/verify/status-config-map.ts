/** Writes what was found to a ConfigMap, when it has changed, and reads what an earlier leader wrote. */
import type { V1ConfigMap } from '@kubernetes/client-node';

import { describeError, retryAfterOf } from '../../cluster/api-error.ts';
import { managedBy, managedByLabel } from '../../cluster/copy-labels.ts';
import { lastOtherWriter } from '../../cluster/field-managers.ts';
import { applyObject } from '../../cluster/object-writes.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import { emptyStatus, formatStatus, parseStatus, verifyStatusKey, type VerifyStatus } from '../../registry/verify-status.ts';
import { disputeMessage, disputeProblem, Disputes } from '../disputes.ts';
import { KeptObjectEvents } from '../kept-object-events.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { done, requeueAfter, requeueUntil, WorkQueue, type Requeue } from '../work-queue.ts';

/** Milliseconds: images that become missing together are one write. */
const debounceMs = 1_000;
const intervalMs = 5_000;
const backoff = { minDelay: 1_000, maxDelay: 60_000 };
const empty = formatStatus(emptyStatus);

export class StatusConfigMap {
  readonly #context: ReconcilerContext;
  readonly #current: () => VerifyStatus | null;
  readonly #onSync: () => void;
  readonly #stopping = new AbortController();
  readonly #queue: WorkQueue;
  readonly #disputes = new Disputes();
  readonly #events: KeptObjectEvents;
  #watch: ResourceWatch<V1ConfigMap> | null = null;
  #failure: string | null = null;

  /**
   * @param current what is to be written; null while it is not known
   * @param onSync called once, when `written` has what an earlier leader wrote
   */
  constructor(context: ReconcilerContext, current: () => VerifyStatus | null, onSync: () => void) {
    this.#context = context;
    this.#current = current;
    this.#onSync = onSync;
    const { namespace, verifyConfigMap: name } = context.options;
    this.#events = new KeptObjectEvents(context.cluster, { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } }, () =>
      this.isSynced ? this.#watch?.list()[0] : null,
    );
    this.#queue = new WorkQueue({
      reconcile: () => this.#reconcile(),
      hasObserved: (_key, version) => hasReached(this.#watch?.list()[0], version),
      debounceMs,
      intervalMs,
      backoff,
    });
  }

  start(): void {
    const { namespace, verifyConfigMap } = this.#context.options;
    this.#watch = observedWatch<V1ConfigMap>(this.#context, 'verify:status', {
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      fieldSelector: `metadata.name=${verifyConfigMap}`,
      onEvent: ({ type }) => {
        if (type === 'synced') this.#onSync();
        this.changed();
      },
    });
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all([this.#queue.stop(), this.#watch?.close()]);
  }

  get isSynced(): boolean {
    return this.#watch?.isSynced === true;
  }

  get written(): VerifyStatus {
    return parseStatus(this.#watch?.list()[0]?.data?.[verifyStatusKey]) ?? emptyStatus;
  }

  get problems(): readonly string[] {
    const disputed = this.#disputes.isDisputed(verifyStatusKey) ? [disputeProblem(this.#name)] : [];
    return this.#failure === null ? disputed : [...disputed, this.#failure];
  }

  /** The status, or what is written, may be another one. */
  changed(): void {
    this.#queue.add(verifyStatusKey);
  }

  /** Tells of something in an event about the ConfigMap. */
  record(reason: string, message: string): void {
    this.#events.record({ reason, message, type: 'Warning', action: 'Verify' });
    this.changed();
  }

  get #name(): string {
    return `ConfigMap ${this.#context.options.verifyConfigMap}`;
  }

  async #reconcile(): Promise<Requeue> {
    const status = this.#current();
    // A process that was suspended does not know yet that another one leads.
    if (status === null || this.#watch?.isSynced !== true || !this.#context.isLeader()) return done;
    const text = formatStatus(status);
    const present = this.#watch.list()[0];
    // Without anything to tell it need not exist.
    if ((present?.data?.[verifyStatusKey] ?? empty) === text) {
      this.#failure = null;
      this.#events.settle();
      return done;
    }
    const delay = this.#disputes.delay(verifyStatusKey, text);
    if (delay <= 0) return this.#write(text, lastOtherWriter(present?.metadata));
    this.#events.settle();
    return requeueAfter(delay);
  }

  /** @param writer field manager of the last write by another client, if known */
  async #write(text: string, writer: string | undefined): Promise<Requeue> {
    const { cluster, log, metrics, options } = this.#context;
    const metadata = { namespace: options.namespace, name: options.verifyConfigMap, labels: { [managedByLabel]: managedBy } };
    const map: V1ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data: { [verifyStatusKey]: text } };
    try {
      const version = await applyObject(cluster, map, this.#stopping.signal);
      this.#failure = null;
      metrics.writes.inc({ kind: 'configmap', verb: 'update', result: 'done' });
      if (this.#disputes.written(verifyStatusKey, text)) this.record('WriteDisputed', disputeMessage(this.#name, writer));
      return requeueUntil(version);
    } catch (error) {
      if (this.#stopping.signal.aborted) return done;
      metrics.writes.inc({ kind: 'configmap', verb: 'update', result: 'failed' });
      this.#failure = `${this.#name} could not be written: ${describeError(error)}`;
      log.warn({ reason: this.#failure }, 'the images that are missing are not written; trying again');
      this.#events.settle();
      return { result: 'failed', retryAfter: retryAfterOf(error) };
    }
  }
}
