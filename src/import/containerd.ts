/**
 * `hosts.toml` files below containerd's config_path, in folders named after the hosts of images.
 * https://github.com/containerd/containerd/blob/v2.4.2/docs/hosts.md, core/remotes/docker/config/hosts.go
 */
import * as z from 'zod';
import { isPlainHttp, legacyDockerHub } from '../image/host.ts';
import { pathTarget, readEndpoint, type Endpoint } from './address.ts';
import { firstNote, slug, type Draft, type DraftRule, type DraftTarget } from './draft.ts';
import { checked, fail, ImportError, patternAt, readToml, tableKeys, type Located, type SourceText } from './source.ts';

const texts = z.union([z.string(), z.array(z.string())]);
/** https://pkg.go.dev/time#ParseDuration */
const duration = /^(?:|[+-]?(?:0|(?:(?:\d+\.?\d*|\.\d+)(?:ns|us|µs|μs|ms|s|m|h))+))$/;

/** Of another type, containerd passes over the whole file: hostFileConfig. */
const settings = {
  ca: texts.optional(),
  client: z.union([z.string(), z.array(z.union([z.string(), z.array(z.string()).length(2)]))]).optional(),
  skip_verify: z.boolean().optional(),
  header: z.record(z.string(), texts).optional(),
  dial_timeout: z.string().regex(duration, 'it is no duration, such as 5s').optional(),
  capabilities: z.array(z.string()).optional(),
  override_path: z.boolean().optional(),
};
const file = z.looseObject({ server: z.string().optional(), host: z.record(z.string(), z.looseObject(settings)).optional(), ...settings });
type HostsFile = z.output<typeof file>;
type Settings = Readonly<Record<string, unknown>> & Pick<HostsFile, 'capabilities' | 'override_path'>;

const knownCapabilities = ['pull', 'resolve', 'push', 'referrers'];

export function importContainerd(sources: readonly SourceText[]): Draft {
  const { read, notes } = filesByHost(sources);
  const hosts = [...read].map(([host, source]) => hostDraft(host, checked(readToml(source), file)));
  const kept = hosts.flatMap(({ host, rule }) => (rule === null && host !== null ? [host] : []));
  const first = hosts.filter(({ hasMore }) => hasMore).map(({ host }) => host ?? 'every other host');
  const rules = hosts.flatMap(({ host, rule }) => (rule === null || host === null ? [] : [rule]));
  const rest = hosts.flatMap(({ host, rule }) => (rule !== null && host === null ? [{ ...rule, exclude: kept }] : []));
  return {
    origin: "containerd's hosts.toml",
    notes: [
      ...(kept.length === 0 ? [] : [`From the registry itself: ${kept.join(', ')}.`]),
      ...firstNote(first),
      ...hosts.flatMap((each) => each.notes),
      ...notes,
      'containerd also pulls for static pods and for namespaces of Kubernetes, which no admission reaches: keep its files for those.',
    ],
    exclude: [],
    rules: [...rules, ...rest],
  };
}

interface FilesByHost {
  /** Null is every other host. */
  readonly read: ReadonlyMap<string | null, SourceText>;
  /** About files that containerd does not read. */
  readonly notes: readonly string[];
}

function filesByHost(sources: readonly SourceText[]): FilesByHost {
  const read = new Map<string | null, SourceText>();
  const notes: string[] = [];
  for (const source of sources) {
    const folder = folderOf(source);
    const host = folder === '_default' ? null : folder.replace(/_(\d+)_$/, ':$1');
    const other = read.get(host);
    if (host === legacyDockerHub) {
      notes.push(`containerd does not read ${source.path}: images of ${host} are those of docker.io.`);
    } else if (other === undefined) {
      read.set(host, source);
    } else {
      // hostPaths of config_unix.go: host_port_ before host:port.
      const [first, second] = folder === host ? [other, source] : [source, other];
      read.set(host, first);
      notes.push(`containerd does not read ${second.path}, because ${first.path} is for the same host.`);
    }
  }
  return { read, notes };
}

function folderOf(source: SourceText): string {
  const folder = source.path.split('/').at(-2) ?? '';
  if (folder !== '') return folder;
  throw new ImportError(source, { line: 1, column: 1 }, 'it is not in a folder named after a host; name the folder above it');
}

interface HostDraft {
  readonly host: string | null;
  /** Null where images come from the host itself. */
  readonly rule: DraftRule | null;
  /** Whether places are left out, because they are tried after the host itself. */
  readonly hasMore: boolean;
  /** Of a host without a rule. */
  readonly notes: readonly string[];
}

function hostDraft(host: string | null, located: Located<HostsFile>): HostDraft {
  patternAt(located, host ?? '*', []);
  const { places, notes } = placesOf(located);
  const targets = unique(places.map((place) => (place === null || (place.host === host && place.path === '') ? null : place)));
  const [first, ...more] = targets;
  if (first === undefined)
    fail(located, ['capabilities'], `images of ${host ?? 'other hosts'} can be pulled from nowhere; add the capability pull to a host`);
  if (first === null) return { host, rule: null, hasMore: more.length > 0, notes };
  const rule: DraftRule = {
    name: host === null ? 'default' : slug(host),
    notes: [...notes, ...targets.flatMap(plainNote), ...fallbackNote(more)],
    images: [host ?? '*'],
    target: pathTarget(first),
    alternatives: more.map((place): DraftTarget => (place === null ? { as: 'original' } : pathTarget(place))),
  };
  return { host, rule, hasMore: false, notes: [] };
}

interface Places {
  /** In order; null is the host of the image. */
  readonly places: readonly (Endpoint | null)[];
  readonly notes: readonly string[];
}

function placesOf(located: Located<HostsFile>): Places {
  // pelletier/go-toml refuses it.
  if (located.source.text.startsWith('\uFEFF'))
    fail(located, [], 'it begins with a byte-order mark, so containerd passes over the file; save it as UTF-8 without');
  const { server = '', host: mirrors = {}, ...root } = located.value;
  const notes: string[] = [];
  const places: (Endpoint | null)[] = [];
  const add = (url: string, configured: Settings): void => {
    const { canPull, canResolve } = abilitiesOf(located, url, configured);
    if (canPull && !canResolve)
      notes.push(`containerd asks ${url} for digests only, and not what a tag is; here it is asked for tags too.`);
    notes.push(...stayingNote(url, configured));
    if (canPull) places.push(endpointOf(located, url, configured.override_path === true));
  };
  for (const url of orderedHosts(located, Object.keys(mirrors))) add(url, mirrors[url] ?? {});
  if (server !== '') add(server, root);
  else {
    abilitiesOf(located, 'the host itself', root);
    notes.push(...stayingNote('the host itself', root));
    // Whatever its capabilities are.
    places.push(null);
  }
  return { places, notes };
}

/** getSortedHosts: containerd takes the hosts from the headers of tables, and passes over others. */
function orderedHosts(located: Located<HostsFile>, urls: readonly string[]): string[] {
  const headers = tableKeys(located.source.text, 'host').filter((url) => urls.includes(url));
  const other = urls.find((url) => !headers.includes(url));
  if (other !== undefined)
    fail(located, [other], `containerd reads a host from the header of its table only: write [host.${JSON.stringify(other)}]`);
  return headers;
}

function abilitiesOf(located: Located<unknown>, url: string, { capabilities = [] }: Settings): { canPull: boolean; canResolve: boolean } {
  const lower = capabilities.map((capability) => capability.toLowerCase());
  const unknown = lower.findIndex((capability) => !knownCapabilities.includes(capability));
  if (unknown !== -1)
    fail(
      located,
      [capabilities[unknown] ?? ''],
      `${capabilities[unknown]} of ${url} is no capability, so containerd passes over the file; they are ${knownCapabilities.join(', ')}`,
    );
  const has = (capability: string): boolean => lower.length === 0 || lower.includes(capability);
  return { canPull: has('pull'), canResolve: has('resolve') };
}

function endpointOf(located: Located<HostsFile>, url: string, isWhole: boolean): Endpoint {
  const endpoint = readEndpoint(url, isWhole);
  return typeof endpoint === 'string' ? fail(located, [url], endpoint) : endpoint;
}

/** What a host is configured with that is no matter of names. */
function stayingNote(url: string, configured: Settings): string[] {
  const left = Object.keys(configured).filter((key) => key !== 'capabilities' && key !== 'override_path');
  return left.length === 0 ? [] : [`Stays in the configuration of nodes, under the name of that host: ${left.join(', ')} of ${url}.`];
}

function plainNote(place: Endpoint | null): string[] {
  return place === null || place.isPlainHttp === isPlainHttp(place.host)
    ? []
    : [
        place.isPlainHttp
          ? `containerd asks ${place.host} without TLS: nodes need a hosts.toml for ${place.host} with server = "http://${place.host}".`
          : `containerd asks ${place.host} with TLS: nodes need a hosts.toml for ${place.host} with server = "https://${place.host}".`,
      ];
}

function fallbackNote(more: readonly (Endpoint | null)[]): string[] {
  return more.length === 0 ? [] : ['containerd tries the places in this order for each pull; here a new pod gets the first.'];
}

function unique(places: readonly (Endpoint | null)[]): (Endpoint | null)[] {
  return [...new Map(places.map((place) => [textOf(place), place])).values()];
}

const textOf = (place: Endpoint | null): string => (place === null ? '' : `${place.host}/${place.path}`);
