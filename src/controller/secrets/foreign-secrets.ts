/** Foreign Secrets that have the name or the labels of a copy: they are not changed, and are reported once. */
import { adoptAnnotation, copyAnnotation } from '../../cluster/copy-labels.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { hasCredentialsOf, type DesiredCopy } from './copy.ts';
import { recordCopyEvent } from './copy-events.ts';
import type { SecretObject } from './seen-secret.ts';

/**
 * - `conflicting`: has the name of a copy and gives pods other credentials, or none.
 * - `equivalent`: has the name of a copy and the same credentials.
 * - `unrelated`: no copy is wanted there.
 */
type ForeignState = 'conflicting' | 'equivalent' | 'unrelated';

export class ForeignSecrets {
  readonly #context: Pick<ReconcilerContext, 'cluster' | 'log'>;
  readonly #found = new Map<string, { readonly uid: string | undefined; readonly state: ForeignState }>();

  constructor(context: Pick<ReconcilerContext, 'cluster' | 'log'>) {
    this.#context = context;
  }

  /** @param desired the copy that belongs there, null when none does */
  found(key: string, secret: SecretObject, desired: DesiredCopy | null): void {
    const { content } = desired ?? { content: null };
    // Without content there is nothing to compare yet.
    if (desired !== null && content === null) return;
    const state =
      desired === null || content === null ? 'unrelated' : hasCredentialsOf(secret, { ...desired, content }) ? 'equivalent' : 'conflicting';
    const uid = secret.metadata?.uid;
    const known = this.#found.get(key);
    this.#found.set(key, { uid, state });
    if (known === undefined || known.uid !== uid || known.state !== state)
      this.#report(key, { secret, state, registry: desired?.registry });
  }

  has(key: string, state: ForeignState): boolean {
    return this.#found.get(key)?.state === state;
  }

  conflicting(): string[] {
    return [...this.#found].flatMap(([key, { state }]) => (state === 'conflicting' ? [key] : []));
  }

  forget(key: string): void {
    this.#found.delete(key);
  }

  retain(isWanted: (key: string) => boolean): void {
    for (const key of this.#found.keys()) if (!isWanted(key)) this.#found.delete(key);
  }

  #report(key: string, { secret, state, registry }: { secret: SecretObject; state: ForeignState; registry: string | undefined }): void {
    const { cluster, log } = this.#context;
    if (state === 'equivalent') {
      log.info({ secret: key, registry }, 'a Secret of this name exists and holds the right credentials; it is left as it is');
    } else if (state === 'conflicting') {
      log.warn({ secret: key, registry }, 'a Secret of this name was not written by transship; it is left as it is');
      const message = `This Secret was not written by transship and is left as it is, so pods here do not get the credentials of registry ${registry}. Delete it, or annotate it with ${adoptAnnotation}=true to have it replaced, or give the registry another name in pullSecrets.`;
      recordCopyEvent(cluster, { secret, reason: 'SecretNotOurs', message, type: 'Warning' });
    } else {
      const named = secret.metadata?.annotations?.[copyAnnotation];
      const why = named === undefined ? `it has no annotation ${copyAnnotation}` : `its annotation ${copyAnnotation} names ${named}`;
      log.warn({ secret: key, copy: named }, 'a Secret has the labels of a copy and was not written by transship; it is left as it is');
      const message = `This Secret has the labels of a copy by transship, but ${why}: it was created by another client and is left as it is.`;
      recordCopyEvent(cluster, { secret, reason: 'SecretNotOurs', message, type: 'Normal' });
    }
  }
}
