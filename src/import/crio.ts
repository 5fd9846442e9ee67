/**
 * `registries.conf` of CRI-O and Podman, version 2, with the files of `registries.conf.d`.
 * https://github.com/containers/image/blob/v5.36.0/docs/containers-registries.conf.5.md, pkg/sysregistriesv2/system_registries_v2.go
 */
import * as z from 'zod';
import { readAddress, type Address } from './address.ts';
import type { Draft } from './draft.ts';
import { notesOf, rulesOf, type PrefixEntry } from './prefix-map.ts';
import { checked, fail, patternAt, readToml, type Located, type SourceText } from './source.ts';

const place = z.looseObject({
  location: z.string().optional(),
  insecure: z.boolean().optional(),
  'pull-from-mirror': z.enum(['', 'all', 'digest-only', 'tag-only']).optional(),
});
const file = z.looseObject({
  'unqualified-search-registries': z.array(z.string()).optional(),
  aliases: z.record(z.string(), z.string()).optional(),
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
  for (const located of files) {
    if (Object.hasOwn(located.value, 'registries'))
      fail(located, ['registries'], 'it is of version 1, which has [registries.search]; write [[registry]] of version 2');
  }
  const entries = entriesOf(files);
  const search = files.findLast(({ value }) => value['unqualified-search-registries'] !== undefined)?.value;
  return {
    origin: 'registries.conf',
    notes: [
      ...searchNote(search?.['unqualified-search-registries'] ?? []),
      ...aliasNote(files),
      ...blockedNote(entries),
      ...notesOf(entries),
    ],
    exclude: [],
    rules: rulesOf(entries),
  };
}

interface Entry extends PrefixEntry {
  readonly isBlocked: boolean;
}

/** Of one prefix, the first of a file counts, and the last file: postProcessRegistries and updateWithConfigurationFrom. */
function entriesOf(files: readonly Located<Conf>[]): Entry[] {
  const entries = new Map<string, Entry>();
  for (const located of files) {
    checkConflicts(located);
    const seen = new Set<string>();
    for (const registry of located.value.registry ?? []) {
      const entry = entryOf(located, registry);
      if (!seen.has(entry.prefix)) entries.set(entry.prefix, entry);
      seen.add(entry.prefix);
    }
  }
  return [...entries.values()];
}

function searchNote(search: readonly string[]): string[] {
  const hosts = [...new Set(search.map(trimmed))];
  return hosts.length === 0 || (hosts.length === 1 && hosts[0] === 'docker.io')
    ? []
    : [`Names without a host are looked for in ${hosts.join(', ')} there; here they are those of docker.io.`];
}

function aliasNote(files: readonly Located<Conf>[]): string[] {
  const aliases = new Map(files.flatMap(({ value }) => Object.entries(value.aliases ?? {})));
  const names = [...aliases].flatMap(([name, value]) => (value === '' ? [] : [`${name} (${value})`]));
  return names.length === 0 ? [] : [`Aliases of names without a host are not imported: ${names.join(', ')}.`];
}

function blockedNote(entries: readonly Entry[]): string[] {
  const blocked = entries.filter(({ isBlocked, places }) => isBlocked && (places[0] ?? null) === null).map(({ prefix }) => prefix);
  return blocked.length === 0
    ? []
    : [`Images of these are blocked there; use validatingPolicy of the chart for that: ${blocked.join(', ')}.`];
}

const trimmed = (text: string): string => text.replace(/\/+$/, '');

function entryOf(located: Located<Conf>, registry: Registry): Entry {
  const { mirror = [], blocked = false } = registry;
  const location = trimmed(registry.location ?? '');
  const prefix = trimmed(registry.prefix ?? '') || location;
  checkRegistry(located, { ...registry, prefix, location });
  const mirrors = mirror.map((each) => addressAt(located, trimmed(each.location ?? '')));
  const own = location === '' || location === prefix ? null : addressAt(located, location);
  // A blocked registry is not asked itself; its mirrors have other names.
  const places = blocked && mirrors.length > 0 ? mirrors : [...mirrors, own];
  return { prefix, places, notes: notesOfEntry(registry, prefix), isBlocked: blocked };
}

function notesOfEntry(registry: Registry, prefix: string): string[] {
  const { mirror = [], blocked = false, 'mirror-by-digest-only': byDigest = false } = registry;
  const insecure = [registry, ...mirror].filter((each) => each.insecure === true).map((each) => each.location ?? prefix);
  const partial = mirror.filter((each) => each['pull-from-mirror']?.endsWith('-only'));
  return [
    ...(byDigest && mirror.length > 0 ? ['Mirrors are for images with a digest there; here they are for tags too.'] : []),
    ...(prefix.startsWith('*') ? [`${prefix} is also every host with a port there.`] : []),
    ...partial.map(
      (each) => `${each.location} is for pulls by ${each['pull-from-mirror']?.replace('-only', '')} there; here it is for all.`,
    ),
    ...(insecure.length === 0 ? [] : [`Nodes ask these without TLS, and must for the new names too: ${insecure.join(', ')}.`]),
    ...(blocked && mirror.length === 0 ? ['Images of it are blocked there; use validatingPolicy of the chart for that.'] : []),
    ...(blocked && mirror.length > 0 ? [`${prefix} itself is blocked there, and is not asked here either.`] : []),
    ...(mirror.length === 0 ? [] : ['The places are tried in this order for each pull there; here a new pod gets the first.']),
  ];
}

/** Several prefixes with one location must agree about it: postProcessRegistries. */
function checkConflicts(located: Located<Conf>): void {
  const byLocation = new Map<string, Registry>();
  for (const registry of located.value.registry ?? []) {
    const location = trimmed(registry.location ?? '') || trimmed(registry.prefix ?? '');
    const other = byLocation.get(location) ?? registry;
    byLocation.set(location, other);
    for (const key of ['insecure', 'blocked'] as const)
      if ((other[key] ?? false) !== (registry[key] ?? false))
        fail(located, [location], `${location} is the location of two registries, and only one has ${key}, so CRI-O refuses the file`);
  }
}

/** What CRI-O refuses the whole file for. */
function checkRegistry(located: Located<Conf>, registry: Registry & { readonly prefix: string; readonly location: string }): void {
  const { prefix, location, mirror = [], 'pull-from-mirror': partial = '', 'mirror-by-digest-only': byDigest } = registry;
  if (prefix === '') fail(located, ['registry'], 'a registry has neither prefix nor location');
  patternAt(located, prefix, [prefix]);
  if (/[*]/.test(prefix) && !/^\*\.[^*/@:]+$/.test(prefix))
    fail(located, [prefix], `${prefix} is not of the form *.example.com, so CRI-O refuses the file`);
  if (location === '' && !prefix.startsWith('*.'))
    fail(located, [prefix], `${prefix} has no location, which CRI-O refuses; add location = "${prefix}"`);
  if (partial !== '') fail(located, ['pull-from-mirror'], `${prefix} has pull-from-mirror, which only a mirror can have`);
  const both = byDigest === true ? mirror.find((each) => (each['pull-from-mirror'] ?? '') !== '') : undefined;
  if (both !== undefined)
    fail(located, ['pull-from-mirror'], `${prefix} has mirror-by-digest-only, and ${both.location} pull-from-mirror; leave out one`);
}

function addressAt(located: Located<Conf>, text: string): Address {
  const address = readAddress(text);
  return typeof address === 'string' ? fail(located, [text], address) : address;
}
