/** Carries out one step of the replication plan, and says what its failure means. */
import type { KubernetesObject } from '@kubernetes/client-node';

import { describeError, isAlreadyExists, isConflict, isForbidden, isNotFound, retryAfterOf, statusOf } from '../../cluster/api-error.ts';
import { Backoff } from '../../cluster/backoff.ts';
import { recordEvent } from '../../cluster/events.ts';
import { secretOf, type DesiredCopy } from './copy.ts';
import { managedBy, managedByLabel, ownerLabel } from '../labels.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import type { WriteResult } from '../metrics.ts';
import { applyObject, createObject, deleteObject, readObject } from '../../cluster/object-writes.ts';
import type { ReplicationStep } from './replication-plan.ts';
import type { Rest } from '../step-queue.ts';

/** Milliseconds until what was written is looked at again, should the watch never tell of it. */
const echoTime = 5_000;
/** Milliseconds between two looks at a Secret of somebody else that has the name of a copy, half as much again at random. */
const foreignInterval = 60_000;
const itemBackoff = { minimum: 1_000, maximum: 60_000 };
const serverBackoff = { minimum: 500, maximum: 5_000 };

export class CopyWriter {
  readonly #context: ReconcilerContext;
  readonly #owner: string;
  readonly #signal: AbortSignal;
  readonly #backoffs = new Map<string, Backoff>();
  readonly #serverBackoff = new Backoff(serverBackoff);
  /** Keys whose last step failed. */
  readonly #failed = new Set<string>();
  /** Keys at which somebody else's Secret is. */
  readonly #foreign = new Set<string>();

  constructor(context: ReconcilerContext, owner: string, signal: AbortSignal) {
    this.#context = context;
    this.#owner = owner;
    this.#signal = signal;
  }

  get failed(): ReadonlySet<string> {
    return this.#failed;
  }

  get foreign(): ReadonlySet<string> {
    return this.#foreign;
  }

  /** What is not planned any more is no trouble any more. */
  forget(isPlanned: (key: string) => boolean): void {
    for (const keys of [this.#failed, this.#foreign, this.#backoffs]) {
      for (const key of keys.keys()) if (!isPlanned(key)) keys.delete(key);
    }
  }

  /** Never rejects. */
  async write(key: string, step: ReplicationStep): Promise<Rest> {
    try {
      const version = await this.#carryOut(step);
      this.#serverBackoff.reset();
      this.#count(step, 'done');
      this.#context.log.info(
        { secret: key, registry: 'desired' in step ? step.desired.registry : undefined },
        `pull secret: ${step.verb}d`,
      );
      this.forget((other) => other !== key);
      return { delay: echoTime, echo: version };
    } catch (error) {
      return await this.#afterFailure(key, step, error);
    }
  }

  /** Resolves to the new resourceVersion, empty when the object is gone. */
  async #carryOut(step: ReplicationStep): Promise<string> {
    const { cluster } = this.#context;
    if (step.verb === 'delete') {
      await deleteObject(cluster, step.present, this.#signal);
      return '';
    }
    if (step.verb === 'create') return createObject(cluster, secretOf(step.desired, step.content, { owner: this.#owner }), this.#signal);
    // Only over the very Secret that was seen to be ours.
    return applyObject(cluster, secretOf(step.desired, step.content, { owner: this.#owner, over: step.present }), this.#signal);
  }

  async #afterFailure(key: string, step: ReplicationStep, error: unknown): Promise<Rest> {
    if (this.#signal.aborted) return { delay: 0, echo: null };
    if (step.verb === 'create' && isAlreadyExists(error)) return this.#afterCollision(key, step.desired, step);
    if (isNotFound(error) || isTerminating(error) || isConflict(error)) {
      // The namespace or the Secret goes away, or somebody wrote: the watch will say, and the next plan knows.
      this.#count(step, 'conflict');
      return { delay: this.#backoffOf(key).next(), echo: null };
    }
    this.#count(step, 'failed');
    const reason = describeError(error);
    this.#context.log.warn({ secret: key, verb: step.verb, reason }, 'a pull secret could not be written; trying again');
    if (statusOf(error) === null || statusOf(error) === 429) {
      const pause = this.#serverBackoff.next(retryAfterOf(error));
      return { delay: pause, echo: null, pause };
    }
    if (!this.#failed.has(key)) this.#tell(step, 'CopyFailed', `The pull secret could not be ${step.verb}d: ${reason}`);
    this.#failed.add(key);
    return { delay: this.#backoffOf(key).next(retryAfterOf(error)), echo: null };
  }

  #backoffOf(key: string): Backoff {
    const backoff = this.#backoffs.get(key) ?? new Backoff(itemBackoff);
    this.#backoffs.set(key, backoff);
    return backoff;
  }

  /** There is a Secret of that name: ours, when the watch is behind, or somebody else's, which is never touched. */
  async #afterCollision(key: string, desired: DesiredCopy, step: ReplicationStep): Promise<Rest> {
    try {
      const found = await readObject(
        this.#context.cluster,
        { apiVersion: 'v1', kind: 'Secret', metadata: { namespace: desired.namespace, name: desired.name } },
        this.#signal,
      );
      if (this.#isOurs(found)) {
        this.#count(step, 'conflict');
        return { delay: echoTime, echo: found.metadata?.resourceVersion ?? '' };
      }
      this.#count(step, 'foreign');
      if (!this.#foreign.has(key)) {
        this.#context.log.warn(
          { secret: key, registry: desired.registry },
          'a Secret of this name is not of transship and is left as it is',
        );
        const message = `This Secret is not of transship and is left as it is, so pods here do not get the credentials of registry ${desired.registry}. Delete it, or give the registry another name in pullSecrets.`;
        this.#tell(step, 'SecretNotOurs', message, found);
      }
      this.#foreign.add(key);
      return { delay: foreignInterval * (1 + Math.random() / 2), echo: null };
    } catch (error) {
      return this.#afterFailure(key, step, error);
    }
  }

  #isOurs({ metadata }: KubernetesObject): boolean {
    return metadata?.labels?.[managedByLabel] === managedBy && metadata.labels[ownerLabel] === this.#owner;
  }

  #count({ verb }: ReplicationStep, result: WriteResult): void {
    this.#context.metrics.writes.inc({ kind: 'secret', verb, result });
  }

  #tell(step: ReplicationStep, reason: string, message: string, about?: KubernetesObject): void {
    const { namespace, name, uid } =
      about?.metadata ?? ('desired' in step ? { ...step.desired, uid: undefined } : (step.present.metadata ?? {}));
    const metadata = {
      ...(namespace !== undefined && { namespace }),
      ...(name !== undefined && { name }),
      ...(uid !== undefined && { uid }),
    };
    void recordEvent(this.#context.cluster, {
      regarding: { apiVersion: 'v1', kind: 'Secret', metadata },
      reason,
      message,
      type: 'Warning',
      action: 'CopySecret',
    });
  }
}

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ : a namespace that is being deleted takes nothing new. */
const isTerminating = (error: unknown): boolean => isForbidden(error) && describeError(error).includes('is being terminated');
