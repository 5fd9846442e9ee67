/**
 * `hosts.toml` files below containerd's config_path, in folders named after the hosts of images.
 * https://github.com/containerd/containerd/blob/v2.2.0/docs/hosts.md
 */
import * as z from 'zod';
import { pathTarget, readEndpoint, type Endpoint } from './address.ts';
import { slug, type Draft, type DraftRule, type DraftTarget } from './draft.ts';
import { checked, fail, ImportError, patternAt, readToml, type Located, type SourceText } from './source.ts';

const settings = {
  capabilities: z.array(z.string()).optional(),
  override_path: z.boolean().optional(),
};
const file = z.looseObject({ server: z.string().optional(), host: z.record(z.string(), z.looseObject(settings)).optional(), ...settings });
type HostsFile = z.output<typeof file>;

/** Of a folder `host_5000_`, `host:5000` or `_default`; null for every other host. */
function hostOf(source: SourceText): string | null {
  const folder = source.path.split('/').at(-2) ?? '';
  if (folder === '')
    throw new ImportError(source, { line: 1, column: 1 }, 'it is not in a folder named after a host; name the folder above it');
  return folder === '_default' ? null : folder.replace(/_(\d+)_$/, ':$1');
}

export function importContainerd(sources: readonly SourceText[]): Draft {
  const hosts = sources.map((source) => hostDraft(hostOf(source), checked(readToml(source), file)));
  const kept = hosts.flatMap(({ host, rule }) => (rule === null && host !== null ? [host] : []));
  const rules = hosts.flatMap(({ host, rule }) => (rule === null || host === null ? [] : [rule]));
  const rest = hosts.flatMap(({ host, rule }) => (rule !== null && host === null ? [{ ...rule, exclude: kept }] : []));
  const notes = kept.length === 0 ? [] : [`From the registry itself: ${kept.join(', ')}.`];
  return {
    origin: "containerd's hosts.toml",
    notes: [
      ...notes,
      'containerd also pulls for static pods and for namespaces of Kubernetes, which no admission reaches: keep its files for those.',
    ],
    exclude: [],
    rules: [...rules, ...rest],
  };
}

interface HostDraft {
  readonly host: string | null;
  /** Null where images come from the host itself. */
  readonly rule: DraftRule | null;
}

function hostDraft(host: string | null, located: Located<HostsFile>): HostDraft {
  const { server, host: mirrors = {}, ...root } = located.value;
  patternAt(located, host ?? '*', []);
  const notes: string[] = [];
  const places: (Endpoint | null)[] = [];
  for (const [url, mirror] of Object.entries(mirrors)) {
    notes.push(...notesOf(url, mirror));
    if (mirror.capabilities !== undefined && !mirror.capabilities.includes('pull')) continue;
    places.push(endpointOf(located, url, mirror.override_path === true));
  }
  notes.push(...notesOf(server ?? 'the server', root));
  places.push(server === undefined ? null : endpointOf(located, server, root.override_path === true));
  const targets = unique(places.map((place) => (place === null || (place.host === host && place.path === '') ? null : place)));
  const [first, ...more] = targets;
  if (first === undefined || first === null) return { host, rule: null };
  const rule: DraftRule = {
    name: host === null ? 'default' : slug(host),
    notes: [...notes, ...targets.flatMap(plainNote), ...fallbackNote(more)],
    images: [host ?? '*'],
    target: pathTarget(first),
    alternatives: more.map((place): DraftTarget => (place === null ? { as: 'original' } : pathTarget(place))),
  };
  return { host, rule };
}

function endpointOf(located: Located<HostsFile>, url: string, isWhole: boolean): Endpoint {
  const endpoint = readEndpoint(url, isWhole);
  return typeof endpoint === 'string' ? fail(located, [url], endpoint) : endpoint;
}

/** What a host is configured with that is no matter of names. */
function notesOf(url: string, configured: Readonly<Record<string, unknown>> & { capabilities?: readonly string[] | undefined }): string[] {
  const { capabilities } = configured;
  const left = Object.keys(configured).filter((key) => key !== 'capabilities' && key !== 'override_path');
  const resolves = capabilities === undefined || capabilities.includes('resolve') || !capabilities.includes('pull');
  return [
    ...(resolves ? [] : [`containerd asks ${url} for digests only, and not what a tag is; here it is asked for tags too.`]),
    ...(left.length === 0 ? [] : [`Stays in the configuration of nodes, under the name of that host: ${left.join(', ')} of ${url}.`]),
  ];
}

function plainNote(place: Endpoint | null): string[] {
  const isLocal = place !== null && /^(?:localhost|127\.|\[::1\])/.test(place.host);
  return place === null || !place.isPlainHttp || isLocal
    ? []
    : [`containerd asks ${place.host} without TLS: nodes need a hosts.toml for ${place.host} with server = "http://${place.host}".`];
}

function fallbackNote(more: readonly (Endpoint | null)[]): string[] {
  return more.length === 0 ? [] : ['containerd tries the places in this order for each pull; here a new pod gets the first.'];
}

function unique(places: readonly (Endpoint | null)[]): (Endpoint | null)[] {
  return [...new Map(places.map((place) => [textOf(place), place])).values()];
}

const textOf = (place: Endpoint | null): string => (place === null ? '' : `${place.host}/${place.path}`);
