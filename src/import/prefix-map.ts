/** Names that are replaced by other names, the longest first: `registries.conf`, and OpenShift's mirror sets, which become such a file. */
import type { Address } from './address.ts';
import { namesAbove } from './names.ts';
import { firstNote, slug, type DraftRule, type DraftTarget } from './draft.ts';

export interface PrefixEntry {
  /** Host, perhaps with a path: `quay.io/acme`, or `*.example.com`. No other entry has it. */
  readonly prefix: string;
  /** In order; null is the name itself. */
  readonly places: readonly (Address | null)[];
  readonly notes: readonly string[];
}

/** @returns notes about entries without a rule */
export function notesOf(entries: readonly PrefixEntry[]): string[] {
  return firstNote(
    entries.flatMap(({ prefix, places: [first, ...more] }) => (first === null && more.some((place) => place !== null) ? [prefix] : [])),
  );
}

export function rulesOf(entries: readonly PrefixEntry[]): DraftRule[] {
  const names = new Set(entries.map(({ prefix }) => prefix));
  // An exact name is longer than a part of it. Of two that are as long, findRegistryWithParsedConfig takes the first by name: that with the star.
  const sorted = entries
    .filter(({ prefix }) => !names.has(`*${prefix.slice(1)}`) || prefix.startsWith('*'))
    .toSorted((one, other) => other.prefix.length - one.prefix.length);
  const kept = sorted.filter(({ places }) => places[0] === null || places[0] === undefined);
  const keptUnder = Map.groupBy(
    kept.flatMap(({ prefix }) => namesAbove(prefix).map((name) => ({ name, prefix }))),
    ({ name }) => name,
  );
  return sorted.flatMap(({ prefix, places: [first, ...more], notes }) => {
    if (first === null || first === undefined) return [];
    const exclude = (keptUnder.get(prefix) ?? []).map((each) => each.prefix);
    const alternatives = more.map((place): DraftTarget => (place === null ? { as: 'original' } : targetOf(prefix, place)));
    return [{ name: slug(prefix), notes, images: [prefix], exclude, target: targetOf(prefix, first), alternatives }];
  });
}

function targetOf(prefix: string, { host, path }: Address): DraftTarget {
  return { as: prefix.includes('/') ? 'remainder' : 'path', host, prefix: path };
}
