/** The registries that have a breaker: the targets of rules with alternatives, and which of them an image is in. */
import { referenceOf } from '../../image/reference.ts';
import type { AlternativeTarget } from '../../policy/types.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { isUnder, repositoryPrefix, type RepositoryPrefix } from '../../rules/registries.ts';

export interface WatchedRegistry {
  readonly name: string;
  /** Host, and path if it has one. */
  readonly address: string;
  readonly prefix: RepositoryPrefix;
  /** Whether the controller asks it, before new pods try it again. */
  readonly probe: boolean;
}

export function watchedRegistries({ policy, registries }: CompiledPolicy): WatchedRegistry[] {
  const names = new Set(
    policy.rules.flatMap(({ rewrite, alternatives }) => (alternatives.length === 0 ? [] : [rewrite, ...alternatives].flatMap(nameOf))),
  );
  return [...registries.values()].flatMap(({ name, address }) =>
    address === null || !names.has(name)
      ? []
      : [{ name, address, prefix: repositoryPrefix(address), probe: policy.registries[name]?.probe === true }],
  );
}

const nameOf = (target: AlternativeTarget | undefined): string[] =>
  target !== undefined && 'registry' in target && target.registry !== undefined ? [target.registry] : [];

/** Names of the registries that the image is in: one may be a part of another. */
export function registriesOf(watched: readonly WatchedRegistry[], image: string): string[] {
  const reference = referenceOf(image);
  return reference === null ? [] : watched.filter(({ prefix }) => isUnder(prefix, reference)).map(({ name }) => name);
}
