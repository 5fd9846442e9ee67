/** From the policy and what is in the cluster to the writes that are missing. Pure: the second plan after its writes is empty. */
import type { RewritePolicy } from '../../policy/types.ts';
import { isAsDesired, isFixed, type Content, type DesiredCopy, type SecretObject } from './copy.ts';
import { isTarget, type TargetNamespace, type TargetScope } from './target-namespaces.ts';

export type ReplicationStep =
  | { readonly verb: 'create'; readonly desired: DesiredCopy; readonly content: Content }
  | { readonly verb: 'update'; readonly desired: DesiredCopy; readonly content: Content; readonly present: SecretObject }
  | { readonly verb: 'delete'; readonly present: SecretObject };

export interface ReplicationState {
  readonly policy: RewritePolicy;
  /** Content of a registry's pull secrets, null while there is none. */
  readonly content: (registry: string) => Content | null;
  readonly namespaces: readonly TargetNamespace[];
  /** Our copies, and never a Secret of somebody else. */
  readonly copies: readonly SecretObject[];
}

export interface ReplicationPlan {
  readonly desired: ReadonlyMap<string, DesiredCopy>;
  /** By `namespace/name`. */
  readonly steps: ReadonlyMap<string, ReplicationStep>;
}

export function planReplication(state: ReplicationState, scope: TargetScope): ReplicationPlan {
  const desired = desiredCopies(state, scope);
  const copies = new Map(state.copies.map((copy) => [`${copy.metadata?.namespace}/${copy.metadata?.name}`, copy]));
  const living = new Set(state.namespaces.flatMap(({ name, isTerminating }) => (isTerminating ? [] : [name])));
  const steps = new Map<string, ReplicationStep>();
  for (const [key, copy] of desired) {
    const step = stepFor(copy, copies.get(key));
    if (step !== null) steps.set(key, step);
  }
  for (const [key, present] of copies) {
    if (!desired.has(key) && isLeftOver(present, living)) steps.set(key, { verb: 'delete', present });
  }
  return { desired, steps };
}

function desiredCopies({ policy, content, namespaces }: ReplicationState, scope: TargetScope): Map<string, DesiredCopy> {
  const desired = new Map<string, DesiredCopy>();
  const registries = Object.entries(policy.registries);
  const sources = new Set(
    registries.flatMap(([, { credentials }]) =>
      credentials !== undefined && 'secret' in credentials ? `${scope.namespace}/${credentials.secret}` : [],
    ),
  );
  for (const [registry, settings] of registries) {
    if (settings.credentials === undefined) continue;
    const source = 'secret' in settings.credentials ? `${scope.namespace}/${settings.credentials.secret}` : settings.credentials.provider;
    const targets = namespaces.filter((namespace) => !namespace.isTerminating && isTarget(namespace, settings, scope));
    for (const { name: namespace } of targets) {
      for (const name of settings.pullSecrets) {
        const key = `${namespace}/${name}`;
        if (!sources.has(key)) desired.set(key, { namespace, name, registry, source, content: content(registry) });
      }
    }
  }
  return desired;
}

function stepFor(desired: DesiredCopy, present: SecretObject | undefined): ReplicationStep | null {
  const { content } = desired;
  if (content === null) return null;
  if (present === undefined) return { verb: 'create', desired, content };
  // Somebody's finalizer holds it: it can neither be written nor made anew until it is gone.
  if (present.metadata?.deletionTimestamp !== undefined || isAsDesired(present, desired, content)) return null;
  return isFixed(present) ? { verb: 'delete', present } : { verb: 'update', desired, content, present };
}

/** A namespace that is not known is one whose deletion, or whose creation, the two watches saw at different times. */
function isLeftOver({ metadata }: SecretObject, living: ReadonlySet<string>): boolean {
  return living.has(metadata?.namespace ?? '') && metadata?.deletionTimestamp === undefined;
}
