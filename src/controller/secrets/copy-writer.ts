/** Writes copies, and interprets failed writes. */
import { describeError, isAlreadyExists, isConflict, isForbidden, isNotFound, retryAfterOf, statusOf } from '../../cluster/api-error.ts';
import { createObject, deleteObject, patchObject, readObject } from '../../cluster/object-writes.ts';
import type { WriteResult, WriteVerb } from '../metrics.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { done, requeueUntil, type Requeue } from '../work-queue.ts';
import { mustBeReplaced, patchOf, secretOf, signatureOf, type CopyWithContent } from './copy.ts';
import { recordCopyEvent } from './copy-events.ts';
import { Disputes } from '../disputes.ts';
import { ForeignSecrets } from './foreign-secrets.ts';
import { ownershipOf } from './ownership.ts';
import { seenSecret, type SecretObject } from './seen-secret.ts';

/** Milliseconds between two checks of a foreign Secret with the name of a copy, plus up to half at random. */
const foreignInterval = 60_000;

export type CopyWrite =
  | { readonly verb: 'create'; readonly desired: CopyWithContent }
  | { readonly verb: 'update'; readonly desired: CopyWithContent; readonly present: SecretObject }
  | { readonly verb: 'delete'; readonly present: SecretObject };

export interface CopyWriterOptions {
  /** Value of the label that identifies the controller of a copy. */
  readonly owner: string;
  readonly signal: AbortSignal;
}

export class CopyWriter {
  readonly foreign: ForeignSecrets;
  readonly disputes = new Disputes();
  /** Failures by key, for people. */
  readonly failures = new Map<string, string>();
  readonly #context: ReconcilerContext;
  readonly #options: CopyWriterOptions;

  constructor(context: ReconcilerContext, options: CopyWriterOptions) {
    this.#context = context;
    this.#options = options;
    this.foreign = new ForeignSecrets(context);
  }

  /** Forgets keys that are no longer wanted. */
  retain(isWanted: (key: string) => boolean): void {
    this.foreign.retain(isWanted);
    this.disputes.retain(isWanted);
    for (const key of this.failures.keys()) if (!isWanted(key)) this.failures.delete(key);
  }

  /** Never rejects. */
  async write(key: string, write: CopyWrite): Promise<Requeue> {
    try {
      const version = await this.#send(write);
      const registry = 'desired' in write ? write.desired.registry : undefined;
      this.#count(write.verb, 'done');
      this.#context.log.info({ secret: key, registry }, `pull secret ${write.verb}d`);
      this.failures.delete(key);
      this.foreign.forget(key);
      return write.verb === 'delete' ? requeueUntil(version) : this.#afterWrite(key, write, version);
    } catch (error) {
      return await this.#afterFailure(key, write, error);
    }
  }

  /** Reports a failure other than that of a write. @param what continues "Secret shop/regcred …" */
  failed(key: string, what: string, error: unknown): Requeue {
    if (this.#options.signal.aborted) return done;
    const reason = describeError(error);
    this.#context.log.warn({ secret: key, reason }, `a pull secret ${what}; trying again`);
    const retryAfter = retryAfterOf(error);
    if (statusOf(error) === null || statusOf(error) === 429) return { result: 'unavailable', retryAfter };
    if (!this.failures.has(key)) {
      const [namespace = '', name = ''] = key.split('/');
      const message = `The pull secret ${what}: ${reason}`;
      recordCopyEvent(this.#context.cluster, { secret: { namespace, name }, reason: 'CopyFailed', message, type: 'Warning' });
    }
    this.failures.set(key, `${what}: ${reason}`);
    return { result: 'failed', retryAfter };
  }

  /** @returns the new resourceVersion, empty when the Secret does not exist any more */
  async #send(write: CopyWrite): Promise<string> {
    const { cluster } = this.#context;
    const { owner, signal } = this.#options;
    if (write.verb === 'create') return await createObject(cluster, secretOf(write.desired, owner), signal);
    if (write.verb === 'update') return await patchObject(cluster, write.present, patchOf(write.desired, owner, write.present), signal);
    await deleteObject(cluster, write.present, signal);
    return '';
  }

  #afterWrite(key: string, { verb, desired, ...write }: Exclude<CopyWrite, { verb: 'delete' }>, version: string): Requeue {
    if (this.disputes.written(key, signatureOf(desired))) {
      const writer = 'present' in write ? write.present.lastWriter : undefined;
      const who = `repeatedly ${verb === 'create' ? 'deletes' : 'changes'} it${writer === undefined ? '' : ` (field manager ${writer})`}`;
      this.#context.log.warn(
        { secret: key, registry: desired.registry, writer },
        `another client ${who}; it is repaired at growing intervals`,
      );
      const message = `Another client ${who}. transship writes it at growing intervals, so pods may get other credentials for registry ${desired.registry}. Exclude it in the other program, or give the registry another name in pullSecrets.`;
      const secret = 'present' in write ? write.present : desired;
      recordCopyEvent(this.#context.cluster, { secret, reason: 'CopyDisputed', message, type: 'Warning' });
    }
    return requeueUntil(version);
  }

  async #afterFailure(key: string, write: CopyWrite, error: unknown): Promise<Requeue> {
    if (this.#options.signal.aborted) return done;
    if (write.verb === 'create' && isAlreadyExists(error)) return await this.#afterCollision(key, write.desired);
    if (isNotFound(error) || isTerminating(error) || isConflict(error)) {
      // The namespace or the Secret is being deleted, or another client wrote: the watch delivers the new state.
      this.#count(write.verb, 'conflict');
      return { result: 'failed' };
    }
    this.#count(write.verb, 'failed');
    return this.failed(key, `could not be ${write.verb}d`, error);
  }

  /** A Secret of that name exists: our own, when the watch is behind, or a foreign one. */
  async #afterCollision(key: string, desired: CopyWithContent): Promise<Requeue> {
    const { namespace, name } = desired;
    try {
      const found = await readObject(
        this.#context.cluster,
        { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name } },
        this.#options.signal,
      );
      const present = seenSecret(found);
      const ownership = ownershipOf(present, this.#options.owner);
      if (ownership === 'offered') return await this.write(key, adopting(desired, present));
      if (ownership !== 'foreign') {
        this.#count('create', 'conflict');
        return requeueUntil(present.metadata?.resourceVersion ?? '');
      }
      this.#count('create', 'foreign');
      this.foreign.found(key, present, desired);
      return { result: 'notBefore', delay: foreignInterval * (1 + Math.random() / 2) };
    } catch (error) {
      if (isNotFound(error)) return { result: 'failed' };
      this.#count('create', 'failed');
      return this.failed(key, 'could not be created', error);
    }
  }

  #count(verb: WriteVerb, result: WriteResult): void {
    this.#context.metrics.writes.inc({ kind: 'secret', verb, result });
  }
}

const adopting = (desired: CopyWithContent, present: SecretObject): CopyWrite =>
  mustBeReplaced(present, desired) ? { verb: 'delete', present } : { verb: 'update', desired, present };

/** https://kubernetes.io/docs/concepts/overview/working-with-objects/namespaces/ : nothing can be created in a terminating namespace. */
const isTerminating = (error: unknown): boolean => isForbidden(error) && describeError(error).includes('is being terminated');
