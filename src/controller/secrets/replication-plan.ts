/** From the policy and what is in the cluster to what is to be done with a Secret. Pure: after its writes there is nothing to do. */
import type { RegistryPolicy, RewritePolicy } from '../../policy/types.ts';
import { labelValue, registryLabel } from '../labels.ts';
import { isAsDesired, mustBeReplaced, type Content, type CopyWithContent, type DesiredCopy } from './copy.ts';
import { ownershipOf } from './ownership.ts';
import type { SecretObject } from './seen-secret.ts';
import { isTarget, type TargetNamespace, type TargetScope } from './target-namespaces.ts';

export type ReplicationStep =
  | { readonly verb: 'none' }
  | { readonly verb: 'create'; readonly desired: CopyWithContent }
  | { readonly verb: 'update'; readonly desired: CopyWithContent; readonly present: SecretObject }
  /** To be made anew: its type or its content cannot be changed. */
  | { readonly verb: 'replace'; readonly desired: CopyWithContent; readonly present: SecretObject }
  /** Not wanted any more: deleted as soon as no pod names it. `refreshed`: what it holds until then, null for what it holds now. */
  | { readonly verb: 'release'; readonly present: SecretObject; readonly refreshed: CopyWithContent | null }
  /** Somebody else's: left as it is. `desired` is null where no copy is wanted. */
  | { readonly verb: 'leave'; readonly desired: DesiredCopy | null; readonly present: SecretObject };

const none: ReplicationStep = { verb: 'none' };

export interface CopySource {
  readonly policy: RewritePolicy;
  /** Content of a registry's pull secrets, null while there is none. */
  readonly content: (registry: string) => Content | null;
}

/** Copies that there should be, by `namespace/name`. */
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
        // The controller never writes over what it reads from.
        if (!sources.has(key)) desired.set(key, copyOf({ namespace, name, registry }, settings, source, scope));
      }
    }
  }
  return desired;
}

export interface StepContext extends CopySource {
  readonly scope: TargetScope;
  readonly owner: string;
  /** Whether there is a namespace of this name that is not being deleted. */
  readonly isLiving: (namespace: string) => boolean;
}

/** @param present the Secret of the same key that has the labels of a copy */
export function stepFor(desired: DesiredCopy | undefined, present: SecretObject | undefined, context: StepContext): ReplicationStep {
  if (present === undefined) return desired !== undefined && hasContent(desired) ? { verb: 'create', desired } : none;
  // A finalizer holds it: it can neither be written nor made anew until it is gone.
  if (present.metadata?.deletionTimestamp !== undefined) return none;
  const ownership = ownershipOf(present, context.owner);
  if (desired === undefined) return ownership === 'own' ? releaseOf(present, context) : { verb: 'leave', desired: null, present };
  if (ownership === 'foreign') return { verb: 'leave', desired, present };
  if (!hasContent(desired) || isAsDesired(present, desired, context.owner)) return none;
  return { verb: mustBeReplaced(present, desired) ? 'replace' : 'update', desired, present };
}

function releaseOf(present: SecretObject, context: StepContext): ReplicationStep {
  // Of a namespace that is not known, the two watches have seen the creation or the deletion at different times.
  if (!context.isLiving(present.metadata?.namespace ?? '')) return none;
  return { verb: 'release', present, refreshed: refreshedCopy(present, context) };
}

/** A token that a pod still needs has to be renewed like any other. Null when the content is as it should be, or comes from nowhere. */
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
