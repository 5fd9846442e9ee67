/**
 * The targets of rules. An image that is already there is not rewritten again, which makes every rule with a registry idempotent, whatever
 * it does to the name.
 */
import { parseReference, type Reference } from '../image/reference.ts';
import { isUnder, repositoryPrefix, type RepositoryPrefix } from './registries.ts';

/** One image, for rules that name exactly one: the same repository at another tag is still a source. */
interface ExactImage {
  readonly name: string;
  readonly tag: string | null;
  readonly digest: string | null;
}

export interface Target {
  readonly prefix: RepositoryPrefix;
  readonly exact: ExactImage | null;
  /** The address or image, as shown in reasons. */
  readonly text: string;
}

/** The target of a rule that writes under a registry. */
export function registryTarget(base: string): Target {
  return { prefix: repositoryPrefix(base), exact: null, text: base };
}

/** The target of an `image` rule: that one image, or its repository when the tag follows the source. Null when it does not parse. */
export function imageTarget(text: string): Target | null {
  const parsed = parseReference(text);
  if (!parsed.ok) return null;
  const { comparableHost: host, path, name, tag, digest } = parsed.reference;
  const exact = tag === null && digest === null ? null : { name, tag, digest };
  return { prefix: { host, path }, exact, text };
}

export type TargetIndex = ReadonlyMap<string, readonly Target[]>;

export function indexTargets(targets: Iterable<Target>): TargetIndex {
  const index = new Map<string, Map<string, Target>>();
  for (const target of targets) {
    const ofHost = index.get(target.prefix.host) ?? new Map<string, Target>();
    ofHost.set(target.text, target);
    index.set(target.prefix.host, ofHost);
  }
  return new Map([...index].map(([host, ofHost]) => [host, [...ofHost.values()]]));
}

/** The target that the image is at or below; null when a rule may still rewrite it. */
export function targetOf(index: TargetIndex, reference: Reference): Target | null {
  const targets = index.get(reference.comparableHost);
  return targets?.find((target) => isAt(target, reference)) ?? null;
}

export function isAt(target: Target, reference: Reference): boolean {
  const { exact } = target;
  if (exact === null) return isUnder(target.prefix, reference);
  return exact.name === reference.name && exact.tag === reference.tag && exact.digest === reference.digest;
}
