/**
 * The one writer of the ConfigMap of resolved hosts, which the webhook mounts. The feature `hosts` says the hosts in it, `fallback` which
 * registries are unavailable. What neither says stays as it is in the ConfigMap: hosts may be another program's.
 */
import type { V1ConfigMap } from '@kubernetes/client-node';

import { describeError, retryAfterOf } from '../../cluster/api-error.ts';
import { managedBy, managedByLabel } from '../../cluster/copy-labels.ts';
import type { EventDetails } from '../../cluster/events.ts';
import { lastOtherWriter } from '../../cluster/field-managers.ts';
import { applyObject } from '../../cluster/object-writes.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import type { ResolvedHosts } from '../../rules/registries.ts';
import { hasBreakers } from '../options.ts';
import { disputeMessage, disputeProblem, Disputes } from '../disputes.ts';
import { KeptObjectEvents } from '../kept-object-events.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { done, requeueAfter, requeueUntil, WorkQueue, type Requeue } from '../work-queue.ts';
import { breakersKey, hostsKey, hostsOf, hostsText, withUnavailable } from './hosts-text.ts';

/** Debounce, in milliseconds. */
const debounceMs = 50;
const backoff = { minDelay: 1_000, maxDelay: 30_000 };

export interface WrittenBreakers {
  readonly unavailable: ReadonlySet<string>;
  /** Of the second key; empty for none. */
  readonly text: string;
}

/** Asked before each write. Null where it is not known yet: then it stays as it is. @param present in the ConfigMap */
export interface Writers {
  hosts?: ((present: ResolvedHosts) => ResolvedHosts | null) | undefined;
  breakers?: (() => WrittenBreakers | null) | undefined;
}

export type FileContext = Pick<ReconcilerContext, 'cluster' | 'watches' | 'log' | 'metrics' | 'options' | 'isLeader'>;

/** Kept while at least one feature uses it. */
interface Session {
  readonly stopping: AbortController;
  readonly queue: WorkQueue;
  readonly watch: ResourceWatch<V1ConfigMap>;
}

export class HostsFile {
  readonly #context: FileContext;
  readonly #writers: Writers = {};
  /** Called after each change of the ConfigMap. */
  readonly #listeners = new Map<keyof Writers, () => void>();
  readonly #events: KeptObjectEvents;
  #session: Session | null = null;
  #disputes = new Disputes();
  #failure: string | null = null;
  #isWritten = false;

  constructor(context: FileContext) {
    this.#context = context;
    const { namespace, hostsConfigMap: name } = context.options;
    this.#events = new KeptObjectEvents(
      context.cluster,
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { namespace, name } },
      () => this.present,
    );
  }

  /** What the ConfigMap has; null until that is known, undefined where there is none. */
  get present(): V1ConfigMap | null | undefined {
    const watch = this.#session?.watch;
    return watch?.isSynced === true ? watch.list()[0] : null;
  }

  /** Whether it is as it should be. */
  get isWritten(): boolean {
    return this.#isWritten && this.#failure === null;
  }

  /** For `/readyz`. */
  problems(): string[] {
    const disputed = this.#disputes.isDisputed(hostsKey) ? [disputeProblem(`ConfigMap ${this.#context.options.hostsConfigMap}`)] : [];
    return [...disputed, ...(this.#failure === null ? [] : [this.#failure])];
  }

  /** @param observed called after each change of the ConfigMap */
  join<Part extends keyof Writers>(part: Part, writer: Writers[Part], observed: () => void = () => {}): void {
    Object.assign(this.#writers, { [part]: writer });
    this.#listeners.set(part, observed);
    this.#session ??= this.#open();
    // Of a ConfigMap that is known already there may be no further event.
    if (this.present !== null) observed();
    this.changed();
  }

  async leave(part: keyof Writers): Promise<void> {
    this.#writers[part] = undefined;
    this.#listeners.delete(part);
    if (this.#listeners.size > 0 || this.#session === null) return;
    const { stopping, queue, watch } = this.#session;
    this.#session = null;
    this.#disputes = new Disputes();
    [this.#failure, this.#isWritten] = [null, false];
    this.#events.forget();
    stopping.abort();
    await Promise.all([queue.stop(), watch.close()]);
  }

  /** What a writer says may be different by now. */
  changed(): void {
    this.#session?.queue.add(hostsKey);
  }

  /** An event about the ConfigMap. */
  record(
    reason: string,
    message: string,
    details: Pick<EventDetails, 'type' | 'action'> = { type: 'Warning', action: 'ResolveHost' },
  ): void {
    this.#events.record({ reason, message, ...details });
    this.changed();
  }

  #open(): Session {
    const { namespace, hostsConfigMap } = this.#context.options;
    const queue = new WorkQueue({
      reconcile: () => this.#reconcile(),
      hasObserved: (_key, version) => hasReached(this.present ?? undefined, version),
      debounceMs,
      backoff,
      onError: (_key, error) => this.#fail(error),
    });
    const watch = observedWatch<V1ConfigMap>(this.#context, 'hosts', {
      path: `/api/v1/namespaces/${namespace}/configmaps`,
      fieldSelector: `metadata.name=${hostsConfigMap}`,
      onEvent: () => {
        for (const observed of this.#listeners.values()) observed();
        queue.add(hostsKey);
      },
    });
    return { stopping: new AbortController(), queue, watch };
  }

  async #reconcile(): Promise<Requeue> {
    const { present } = this;
    // A process that was suspended does not know yet that another one leads.
    if (present === null || !this.#context.isLeader()) return done;
    const { hosts: text, breakers } = this.#wanted(present);
    if (this.#isAsWanted(present, text) && (present?.data?.[breakersKey] ?? '') === breakers) {
      [this.#failure, this.#isWritten] = [null, true];
      this.#events.settle();
      return done;
    }
    const signature = `${text}\0${breakers}`;
    const delay = this.#disputes.delay(hostsKey, signature);
    if (delay > 0) {
      this.#events.settle();
      return requeueAfter(delay);
    }
    const data = { [hostsKey]: text, ...(breakers !== '' && { [breakersKey]: breakers }) };
    // Looked at before the write: afterwards the object names this controller only.
    return this.#write(data, signature, lastOtherWriter(present?.metadata));
  }

  /** The texts of both keys. */
  #wanted(present: V1ConfigMap | undefined): { readonly hosts: string; readonly breakers: string } {
    const before = hostsOf(present);
    const { unavailable, text: breakers } = this.#breakers(before, present);
    return { hosts: hostsText(withUnavailable(this.#writers.hosts?.(before) ?? before, unavailable)), breakers };
  }

  /** Without any host there is nothing to write, and text of others is not written anew for its layout alone. */
  #isAsWanted(present: V1ConfigMap | undefined, text: string): boolean {
    const written = present?.data?.[hostsKey];
    return written === text || ((written === undefined || this.#writers.hosts === undefined) && hostsText(hostsOf(present)) === text);
  }

  /** Those that were written by a controller with breakers are taken back where it has none any more. */
  #breakers(hosts: ResolvedHosts, map: V1ConfigMap | undefined): WrittenBreakers {
    const said = this.#writers.breakers?.() ?? null;
    if (said !== null) return said;
    const text = map?.data?.[breakersKey] ?? '';
    if (text !== '' && !hasBreakers(this.#context.options)) return { unavailable: new Set(), text: '' };
    return { unavailable: new Set(Object.keys(hosts).filter((name) => typeof hosts[name] === 'object')), text };
  }

  /** @param writer field manager of the last write by another client, if known */
  async #write(data: Record<string, string>, signature: string, writer: string | undefined): Promise<Requeue> {
    const { cluster, log, metrics, options } = this.#context;
    const signal = this.#session?.stopping.signal ?? AbortSignal.abort();
    const metadata = { namespace: options.namespace, name: options.hostsConfigMap, labels: { [managedByLabel]: managedBy } };
    const map: V1ConfigMap = { apiVersion: 'v1', kind: 'ConfigMap', metadata, data };
    try {
      const version = await applyObject(cluster, map, signal);
      this.#failure = null;
      metrics.writes.inc({ kind: 'configmap', verb: 'update', result: 'done' });
      log.info({ hosts: hostsOf(map) }, 'hosts written');
      if (this.#disputes.written(hostsKey, signature)) this.#reportDispute(writer);
      return requeueUntil(version);
    } catch (error) {
      if (signal.aborted) return done;
      metrics.writes.inc({ kind: 'configmap', verb: 'update', result: 'failed' });
      this.#fail(error);
      return { result: 'failed', retryAfter: retryAfterOf(error) };
    }
  }

  #fail(error: unknown): void {
    this.#failure = `ConfigMap ${this.#context.options.hostsConfigMap} could not be written: ${describeError(error)}`;
    this.#context.log.warn({ reason: this.#failure }, 'hosts are not written; trying again');
    this.record('HostsNotWritten', this.#failure);
    this.#events.settle();
  }

  #reportDispute(writer: string | undefined): void {
    const { hostsConfigMap } = this.#context.options;
    this.#context.log.warn({ configMap: hostsConfigMap, writer }, 'the hosts are repeatedly changed or deleted by another client');
    this.record('WriteDisputed', disputeMessage(`ConfigMap ${hostsConfigMap}`, writer));
  }
}
