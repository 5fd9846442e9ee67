/** `registries.conf` of CRI-O and Podman, version 2. https://github.com/containers/image/blob/v5.36.0/docs/containers-registries.conf.5.md */
import * as z from 'zod';
import { readAddress, type Address } from './address.ts';
import type { Draft } from './draft.ts';
import { rulesOf, type PrefixEntry } from './prefix-map.ts';
import { checked, fail, patternAt, readToml, type Located, type SourceText } from './source.ts';

const place = z.looseObject({
  location: z.string().optional(),
  insecure: z.boolean().optional(),
  'pull-from-mirror': z.string().optional(),
});
const file = z.looseObject({
  'unqualified-search-registries': z.array(z.string()).optional(),
  registry: z
    .array(
      place.extend({
        prefix: z.string().optional(),
        blocked: z.boolean().optional(),
        'mirror-by-digest-only': z.boolean().optional(),
        mirror: z.array(place).optional(),
      }),
    )
    .optional(),
});
type Conf = z.output<typeof file>;
type Registry = NonNullable<Conf['registry']>[number];

export function importCrio(sources: readonly SourceText[]): Draft {
  const files = sources.map((source) => checked(readToml(source), file));
  const entries = files.flatMap((located) => (located.value.registry ?? []).map((registry) => entryOf(located, registry)));
  const search = [...new Set(files.flatMap(({ value }) => value['unqualified-search-registries'] ?? []))];
  return {
    origin: 'registries.conf',
    notes:
      search.length === 0 || (search.length === 1 && search[0] === 'docker.io')
        ? []
        : [`Names without a host are looked for in ${search.join(', ')} there; here they are those of docker.io.`],
    exclude: [],
    rules: rulesOf(entries),
  };
}

function entryOf(located: Located<Conf>, registry: Registry): PrefixEntry {
  const prefix = registry.prefix ?? registry.location;
  if (prefix === undefined || prefix === '') return fail(located, ['registry'], 'a registry has neither prefix nor location');
  patternAt(located, prefix, [prefix]);
  const { location = prefix, mirror = [], blocked, 'mirror-by-digest-only': byDigest } = registry;
  const places = [...mirror.map(({ location: text }) => text ?? ''), location].map((text) =>
    text === prefix ? null : addressAt(located, text),
  );
  const insecure = [registry, ...mirror].filter((each) => each.insecure === true).map((each) => each.location ?? prefix);
  const partial = mirror.filter((each) => each['pull-from-mirror'] !== undefined && each['pull-from-mirror'] !== 'all');
  const notes = [
    ...(byDigest === true ? ['Mirrors are for images with a digest there; here they are for tags too.'] : []),
    ...partial.map(
      (each) => `${each.location} is for pulls by ${each['pull-from-mirror']?.replace('-only', '')} there; here it is for all.`,
    ),
    ...(insecure.length === 0 ? [] : [`Nodes ask these without TLS, and must for the new names too: ${insecure.join(', ')}.`]),
    ...(blocked === true ? ['Images of it are blocked there; use validatingPolicy of the chart for that.'] : []),
    ...(mirror.length === 0 ? [] : ['The places are tried in this order for each pull there; here a new pod gets the first.']),
  ];
  return { prefix, places, notes };
}

function addressAt(located: Located<Conf>, text: string): Address {
  const address = readAddress(text);
  return typeof address === 'string' ? fail(located, [text], address) : address;
}
