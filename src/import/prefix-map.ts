/** Names that are replaced by other names, the longest first: `registries.conf`, and OpenShift's mirror sets, which become such a file. */
import type { Address } from './address.ts';
import { slug, type DraftRule, type DraftTarget } from './draft.ts';

export interface PrefixEntry {
  /** Host, perhaps with a path: `quay.io/acme`, or `*.example.com`. */
  readonly prefix: string;
  /** In order; null is the name itself. */
  readonly places: readonly (Address | null)[];
  readonly notes: readonly string[];
}

export function rulesOf(entries: readonly PrefixEntry[]): DraftRule[] {
  // An exact name is longer than a part of it.
  const sorted = entries.toSorted((one, other) => other.prefix.length - one.prefix.length);
  const kept = sorted.filter(({ places }) => places[0] === null || places[0] === undefined).map(({ prefix }) => prefix);
  return sorted.flatMap(({ prefix, places: [first, ...more], notes }) => {
    if (first === null || first === undefined) return [];
    const exclude = kept.filter((name) => name.startsWith(`${prefix}/`));
    const alternatives = more.map((place): DraftTarget => (place === null ? { as: 'original' } : targetOf(prefix, place)));
    return [{ name: slug(prefix), notes, images: [prefix], exclude, target: targetOf(prefix, first), alternatives }];
  });
}

function targetOf(prefix: string, { host, path }: Address): DraftTarget {
  return { as: prefix.includes('/') ? 'remainder' : 'path', host, prefix: path };
}
