/**
 * Decides what to do with a Secret, from the policy and the state of the cluster. Pure and idempotent: after the writes there is nothing
 * left to do.
 */
import type { RegistryPolicy, RewritePolicy } from '../../policy/types.ts';
import { labelValue, registryLabel } from '../../cluster/copy-labels.ts';
import { isAsDesired, mustBeReplaced, type Content, type CopyWithContent, type DesiredCopy } from './copy.ts';
import { ownershipOf } from './ownership.ts';
import type { SecretObject } from './seen-secret.ts';
import { isTarget, type TargetNamespace, type TargetScope } from './target-namespaces.ts';

export type ReplicationStep =
  | { readonly verb: 'none' }
  | { readonly verb: 'create'; readonly desired: CopyWithContent }
  | { readonly verb: 'update'; readonly desired: CopyWithContent; readonly present: SecretObject }
  /** To be recreated: its type or its content is immutable. */
  | { readonly verb: 'replace'; readonly desired: CopyWithContent; readonly present: SecretObject }
  /** No longer wanted: deleted once no pod references it. `refreshed` is its content until then, null to leave the content as it is. */
  | { readonly verb: 'release'; readonly present: SecretObject; readonly refreshed: CopyWithContent | null }
  /** Belongs to somebody else: not changed. `desired` is null where no copy is wanted. */
  | { readonly verb: 'leave'; readonly desired: DesiredCopy | null; readonly present: SecretObject };

const none: ReplicationStep = { verb: 'none' };

export interface CopySource {
  readonly policy: RewritePolicy;
  /** Content of a registry's pull secrets, null until the source has delivered any. */
  readonly content: (registry: string) => Content | null;
}

/** Desired copies, by `namespace/name`. */
export function desiredCopies(
  source: CopySource,
  namespaces: readonly TargetNamespace[],
  scope: TargetScope,
): ReadonlyMap<string, DesiredCopy> {
  const desired = new Map<string, DesiredCopy>();
  const living = namespaces.filter(({ isTerminating }) => !isTerminating);
  const sources = sourceSecrets(source.policy, scope);
  for (const [registry, settings] of Object.entries(source.policy.registries)) {
    if (settings.credentials === undefined) continue;
    for (const { name: namespace } of living.filter((candidate) => isTarget(candidate, settings, scope))) {
      for (const name of settings.pullSecrets) {
        const key = `${namespace}/${name}`;
        // The controller never overwrites its sources.
        if (!sources.has(key)) desired.set(key, copyOf({ namespace, name, registry }, settings, source, scope));
      }
    }
  }
  return desired;
}

export interface StepContext extends CopySource {
  readonly scope: TargetScope;
  readonly owner: string;
  /** Whether a namespace of this name exists and is not terminating. */
  readonly isLiving: (namespace: string) => boolean;
}

/** @param present the Secret of the same key that has the labels of a copy */
export function stepFor(desired: DesiredCopy | undefined, present: SecretObject | undefined, context: StepContext): ReplicationStep {
  if (present === undefined) return desired !== undefined && hasContent(desired) ? { verb: 'create', desired } : none;
  // A finalizer holds it: it can neither be written nor recreated until it is gone.
  if (present.metadata?.deletionTimestamp !== undefined) return none;
  const ownership = ownershipOf(present, context.owner);
  if (desired === undefined) return ownership === 'own' ? releaseOf(present, context) : { verb: 'leave', desired: null, present };
  if (ownership === 'foreign') return { verb: 'leave', desired, present };
  if (!hasContent(desired) || isAsDesired(present, desired, context.owner)) return none;
  return { verb: mustBeReplaced(present, desired) ? 'replace' : 'update', desired, present };
}

function releaseOf(present: SecretObject, context: StepContext): ReplicationStep {
  // Unknown namespace: the two watches are at different points of its creation or deletion.
  if (!context.isLiving(present.metadata?.namespace ?? '')) return none;
  return { verb: 'release', present, refreshed: refreshedCopy(present, context) };
}

/** A token that a pod still needs must be renewed like any other. Null when the content is current, or has no source. */
function refreshedCopy(present: SecretObject, context: StepContext): CopyWithContent | null {
  const { namespace = '', name = '', labels } = present.metadata ?? {};
  const found = Object.entries(context.policy.registries).find(([registry]) => labelValue(registry) === labels?.[registryLabel]);
  if (found === undefined || found[1].credentials === undefined) return null;
  const copy = copyOf({ namespace, name, registry: found[0] }, found[1], context, context.scope);
  if (!hasContent(copy) || mustBeReplaced(present, copy) || isAsDesired(present, copy, context.owner)) return null;
  return copy;
}

function copyOf(
  what: Pick<DesiredCopy, 'namespace' | 'name' | 'registry'>,
  { credentials, copyLabels = {}, copyAnnotations = {} }: RegistryPolicy,
  { content }: CopySource,
  { namespace }: TargetScope,
): DesiredCopy {
  const source = credentials === undefined ? '' : 'secret' in credentials ? `${namespace}/${credentials.secret}` : credentials.provider;
  return { ...what, source, labels: copyLabels, annotations: copyAnnotations, content: content(what.registry) };
}

const hasContent = (copy: DesiredCopy): copy is CopyWithContent => copy.content !== null;

function sourceSecrets({ registries }: RewritePolicy, { namespace }: TargetScope): ReadonlySet<string> {
  const names = Object.values(registries).flatMap(({ credentials }) =>
    credentials !== undefined && 'secret' in credentials ? [credentials.secret] : [],
  );
  return new Set(names.map((name) => `${namespace}/${name}`));
}
