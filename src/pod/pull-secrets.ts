/** The pull secrets of a pod: a list of names, to which missing ones are appended. */
import { add, type Operation } from '../patch/operations.ts';
import { isObject, list, listOf, member, objectOf, scalar, text, type ObjectFields, type Untrusted } from './fields.ts';

export interface PullSecrets {
  /** Null if the field is absent, so that a patch must add the list first. */
  readonly names: ReadonlySet<string> | null;
  /** Number of entries, counted up to `maxListLength`. */
  readonly length: number;
  /** False if the field is not a list; then nothing can be appended. */
  readonly isAppendable: boolean;
}

/** Fields of `spec`. */
export const pullSecretFields = { imagePullSecrets: listOf(objectOf({ name: scalar })) } as const;

export function pullSecretsOf(spec: Untrusted<ObjectFields<typeof pullSecretFields>>): PullSecrets {
  const found: unknown = member(spec, 'imagePullSecrets');
  if (found === undefined || found === null) return { names: null, length: 0, isAppendable: isObject(spec) };
  if (!Array.isArray(found)) return { names: new Set(), length: 0, isAppendable: false };
  const entries = list(spec, 'imagePullSecrets');
  return { names: new Set(entries.map((entry) => text(entry, 'name') ?? '')), length: entries.length, isAppendable: true };
}

/** The wanted names that the pod lacks, in order. */
export function missingSecrets(present: PullSecrets, wanted: readonly string[]): string[] {
  return present.isAppendable ? [...new Set(wanted)].filter((name) => present.names?.has(name) !== true) : [];
}

/**
 * Appends by name; nothing is removed or moved. `-` is not allowed on an absent list: such a patch is rejected even with failurePolicy
 * Ignore (kubernetes/apiserver, pkg/admission/plugin/webhook/mutating/dispatcher.go).
 */
export function appendSecrets(present: PullSecrets, missing: readonly string[]): Operation[] {
  if (missing.length === 0) return [];
  if (present.names === null)
    return [
      add(
        '/spec/imagePullSecrets',
        missing.map((name) => ({ name })),
      ),
    ];
  return missing.map((name) => add('/spec/imagePullSecrets/-', { name }));
}
