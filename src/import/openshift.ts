/**
 * Mirror sets of OpenShift: ImageDigestMirrorSet, ImageTagMirrorSet, and ImageContentSourcePolicy, which they replace.
 * https://github.com/openshift/api/blob/master/config/v1/types_image_digest_mirror_set.go
 */
import * as z from 'zod';
import { readAddress, type Address } from './address.ts';
import type { Draft } from './draft.ts';
import { kubernetesObjects } from './kubernetes-objects.ts';
import { mergedOrder } from './merged-order.ts';
import { notesOf, rulesOf, type PrefixEntry } from './prefix-map.ts';
import { checked, fail, patternAt, type Located, type SourceText } from './source.ts';

const mirrors = z
  .array(z.looseObject({ source: z.string(), mirrors: z.array(z.string()).nullish(), mirrorSourcePolicy: z.string().nullish() }))
  .nullish();
const mirrorSet = z.looseObject({
  kind: z.string(),
  spec: z.looseObject({ imageDigestMirrors: mirrors, imageTagMirrors: mirrors, repositoryDigestMirrors: mirrors }),
});
type MirrorSet = z.output<typeof mirrorSet>;

const kinds = ['ImageDigestMirrorSet', 'ImageTagMirrorSet', 'ImageContentSourcePolicy'] as const;
const lists = [
  ['imageDigestMirrors', 'digest'],
  ['repositoryDigestMirrors', 'digest'],
  ['imageTagMirrors', 'tag'],
] as const;

type PulledBy = (typeof lists)[number][1];

export function importOpenShift(sources: readonly SourceText[]): Draft {
  const found = kubernetesObjects(sources, kinds).flatMap((object) => setsOf(checked(object, mirrorSet)));
  const bySource = Map.groupBy(found, ({ source }) => source);
  const entries = [...bySource.values()].map(entryOf);
  return { origin: 'mirror sets of OpenShift', notes: notesOf(entries), exclude: [], rules: rulesOf(entries) };
}

/** Mirrors of one source. */
interface MirrorSetOfSource {
  readonly source: string;
  readonly by: PulledBy;
  /** In order, with the source where it is asked. */
  readonly names: readonly string[];
  readonly addresses: ReadonlyMap<string, Address | null>;
  readonly isSourceBlocked: boolean;
}

function setsOf(located: Located<MirrorSet>): MirrorSetOfSource[] {
  const { spec } = located.value;
  return lists.flatMap(([list, by]) =>
    (spec[list] ?? []).flatMap(({ source, mirrors: names, mirrorSourcePolicy }, index) => {
      const path = ['spec', list, index];
      patternAt(located, source, [...path, 'source']);
      const addresses = new Map<string, Address | null>([[source, null]]);
      for (const [entry, name] of (names ?? []).entries())
        if (name !== source) addresses.set(name, addressAt(located, name, [...path, 'mirrors', entry]));
      // Without a mirror it is no set: addMirrorSet.
      if (addresses.size === 1) return [];
      const withSource = (names ?? []).includes(source) ? (names ?? []) : [...(names ?? []), source];
      return [{ source, by, names: withSource, addresses, isSourceBlocked: mirrorSourcePolicy === 'NeverContactSource' }];
    }),
  );
}

/** Sets of one source are merged, those for digests and those for tags by themselves: EditRegistriesConfig of openshift/runtime-utils. */
function entryOf(sets: readonly MirrorSetOfSource[]): PrefixEntry {
  const prefix = sets[0]?.source ?? '';
  const isBlocked = sets.some(({ isSourceBlocked }) => isSourceBlocked);
  const addresses = new Map(sets.flatMap((each) => [...each.addresses]));
  const namesBy = (by: PulledBy): string[] =>
    mergedOrder(sets.filter((each) => each.by === by).map(({ names }) => names)).filter((name) => !isBlocked || name !== prefix);
  const [byDigest, byTag] = [namesBy('digest'), namesBy('tag')];
  const names = [...new Set([...byTag.filter((name) => name !== prefix || byTag.at(-1) !== name), ...byDigest, ...byTag])];
  return {
    prefix,
    places: names.map((name) => addresses.get(name) ?? null),
    notes: [...kindNote(byDigest, byTag), isBlocked ? 'The source is not asked there either.' : sourceNote(names, prefix)],
  };
}

function sourceNote(names: readonly string[], source: string): string {
  return `The source is asked ${names.at(-1) === source ? 'last' : 'before some mirrors'} there.`;
}

function kindNote(byDigest: readonly string[], byTag: readonly string[]): string[] {
  if (byTag.length === 0) return ['Only for pulls by digest there; here for all.'];
  if (byDigest.length === 0) return ['Only for pulls by tag there; here for all.'];
  return byDigest.join(' ') === byTag.join(' ')
    ? []
    : [`Pulls by digest ask ${byDigest.join(', ')} there, and pulls by tag ${byTag.join(', ')}; here all ask those for tags first.`];
}

function addressAt(located: Located<unknown>, text: string, path: readonly (string | number)[]): Address {
  const address = readAddress(text);
  return typeof address === 'string' ? fail(located, path, address) : address;
}
