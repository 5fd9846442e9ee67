/**
 * Mirror sets of OpenShift: ImageDigestMirrorSet, ImageTagMirrorSet, and ImageContentSourcePolicy, which they replace.
 * https://github.com/openshift/api/blob/master/config/v1/types_image_digest_mirror_set.go
 */
import * as z from 'zod';
import { readAddress, type Address } from './address.ts';
import type { Draft } from './draft.ts';
import { kubernetesObjects } from './kubernetes-objects.ts';
import { rulesOf, type PrefixEntry } from './prefix-map.ts';
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

export function importOpenShift(sources: readonly SourceText[]): Draft {
  const found = kubernetesObjects(sources, kinds).flatMap((object) => entriesOf(checked(object, mirrorSet)));
  // A source may have a set for digests and one for tags, as a rule with the same mirrors.
  const bySource = Map.groupBy(found, ({ entry }) => `${entry.prefix} ${JSON.stringify(entry.places)}`);
  const entries = [...bySource.values()].flatMap((same) => {
    const [first] = same;
    const isBoth = new Set(same.map(({ by }) => by)).size === 2;
    if (first === undefined) return [];
    return [
      { ...first.entry, notes: isBoth ? first.entry.notes : [`Only for pulls by ${first.by} there; here for all.`, ...first.entry.notes] },
    ];
  });
  return { origin: 'mirror sets of OpenShift', notes: [], exclude: [], rules: rulesOf(entries) };
}

interface Found {
  readonly entry: PrefixEntry;
  readonly by: 'digest' | 'tag';
}

function entriesOf(located: Located<MirrorSet>): Found[] {
  const { spec } = located.value;
  return lists.flatMap(([list, by]) =>
    (spec[list] ?? []).map(({ source, mirrors: names, mirrorSourcePolicy }, index) => {
      const path = ['spec', list, index];
      const places: (Address | null)[] = (names ?? []).map((name, entry) => addressAt(located, name, [...path, 'mirrors', entry]));
      patternAt(located, source, [...path, 'source']);
      const isOnly = mirrorSourcePolicy === 'NeverContactSource' && places.length > 0;
      const notes = places.length === 0 ? [] : [isOnly ? 'The source is not asked there either.' : 'The source is asked last there.'];
      return { entry: { prefix: source, places: isOnly ? places : [...places, null], notes }, by };
    }),
  );
}

function addressAt(located: Located<unknown>, text: string, path: readonly (string | number)[]): Address {
  const address = readAddress(text);
  return typeof address === 'string' ? fail(located, path, address) : address;
}
