/** Copies of pull secrets that the controller keeps, and what it reports about them in events. */
import type { KubernetesObject, V1Namespace, V1Secret } from '@kubernetes/client-node';
import { describeError } from '../../cluster/api-error.ts';
import { copyAnnotation, managedBy, managedByLabel } from '../../cluster/copy-labels.ts';
import { matchesSelector } from '../../policy/label-selector.ts';
import { credentialsHashOf } from '../../registry/content-hash.ts';
import { dockerConfigKey, dockerConfigType } from '../../registry/pull-secret.ts';
import { readSourceSecret } from '../../registry/source-secret.ts';
import { matchesGlob } from '../../rules/glob.ts';
import { modeFor } from '../opt-in.ts';
import type { ReleasePolicy } from '../policy.ts';
import { lastWrite, latest, type Release } from '../releases.ts';
import type { ClusterView } from '../view.ts';

export interface WantedCopy {
  readonly namespace: string;
  readonly name: string;
  readonly registry: string;
  /**
   * `absent`: no Secret has the name. The controller leaves alone what is no copy: `equivalent` where a kubelet reads the same credentials
   * from it, or nothing can be compared, else `foreign`.
   */
  readonly state: 'current' | 'stale' | 'absent' | 'equivalent' | 'foreign';
  /** When the namespace or the source was written last: the controller may be about to write the copy. */
  readonly changed: Date | null;
}

export interface CopySource {
  readonly registry: string;
  readonly secret: string;
  /** Null when it can be copied. */
  readonly problem: string | null;
}

export interface CopyEvent extends KubernetesObject {
  readonly reason?: string;
  readonly note?: string;
  readonly eventTime?: string;
  readonly series?: { readonly lastObservedTime?: string };
  readonly regarding?: { readonly namespace?: string; readonly name?: string };
}

export interface Copies {
  /** Null when Secrets cannot be seen. */
  readonly wanted: readonly WantedCopy[] | null;
  readonly sources: readonly CopySource[] | null;
  readonly events: readonly CopyEvent[] | null;
}

const none: Copies = { wanted: [], sources: [], events: [] };
/** Of docs/reference/controller.md, "What it writes". */
const ofController = { labelSelector: `${managedByLabel}=${managedBy}` };
const reasons: ReadonlySet<string | undefined> = new Set(['CopyDisputed', 'CopyFailed']);

interface Wanted {
  readonly namespace: string;
  readonly created: Date | null;
  readonly registry: string;
  readonly name: string;
}

interface Source extends CopySource {
  readonly encoded: string | null;
  readonly changed: Date | null;
}

export async function readCopies(
  view: ClusterView,
  release: Release,
  loaded: ReleasePolicy | null,
  namespaces: readonly V1Namespace[] | null,
): Promise<Copies> {
  const registries = Object.values(loaded?.compiled?.policy.registries ?? {});
  if (registries.every(({ credentials }) => credentials === undefined)) return none;
  const found = await view.list<CopyEvent>('/apis/events.k8s.io/v1/events', 'events', { fieldSelector: 'type=Warning' });
  const events = found === null ? null : found.filter(({ reason }) => reasons.has(reason));
  const secrets = await view.list<V1Secret>('/api/v1/secrets', 'secrets of the controller in all namespaces', ofController);
  const sources = await readSources(view, release, loaded);
  if (secrets === null || sources === null || namespaces === null) return { wanted: null, sources, events };
  const byKey = new Map(secrets.map((secret) => [keyOf(secret), secret]));
  const wanted: WantedCopy[] = [];
  for (const each of wantedOf(release, loaded, namespaces)) {
    const secret = byKey.get(`${each.namespace}/${each.name}`) ?? (await otherSecret(view, each));
    if (secret === null) return { wanted: null, sources, events };
    wanted.push(
      stateOf(
        each,
        secret,
        sources.find(({ registry }) => registry === each.registry),
      ),
    );
  }
  return { wanted, sources, events };
}

/** Of a Secret that has not the labels of a copy: the controller leaves it alone. */
async function otherSecret(view: ClusterView, { namespace, name }: Wanted): Promise<V1Secret | null | undefined> {
  return await view.get<V1Secret>(`/api/v1/namespaces/${namespace}/secrets/${name}`, `Secret ${name} in namespace ${namespace}`);
}

function wantedOf(release: Release, loaded: ReleasePolicy | null, namespaces: readonly V1Namespace[]): Wanted[] {
  return Object.entries(loaded?.compiled?.policy.registries ?? {}).flatMap(([registry, { credentials, pullSecrets, ...where }]) => {
    if (credentials === undefined) return [];
    return namespaces.flatMap(({ metadata, status }) => {
      const [namespace, labels] = [metadata?.name ?? '', metadata?.labels ?? {}];
      if (status?.phase === 'Terminating') return [];
      const isWanted =
        where.namespaces === undefined && where.namespaceSelector === undefined
          ? modeFor(release, { name: namespace, labels }, {}) === 'enforce'
          : where.namespaces?.some((pattern) => matchesGlob(pattern, namespace)) === true ||
            (where.namespaceSelector !== undefined && matchesSelector(where.namespaceSelector, labels));
      if (!isWanted) return [];
      const isSource = (name: string): boolean => namespace === release.namespace && 'secret' in credentials && credentials.secret === name;
      const names = pullSecrets.filter((name) => !isSource(name));
      return names.map((name) => ({ namespace, registry, name, created: lastWrite(metadata) }));
    });
  });
}

function stateOf({ namespace, name, registry, created }: Wanted, secret: V1Secret | undefined, source: Source | undefined): WantedCopy {
  const wanted = { namespace, name, registry };
  if (secret === undefined) return { ...wanted, state: 'absent', changed: latest(created, source?.changed ?? null) };
  // Without a source Secret, the content is that of a cloud's token, which nobody can compare.
  const encoded = source?.encoded ?? null;
  if (secret.metadata?.annotations?.[copyAnnotation] !== `${namespace}/${name}`) {
    const isOther =
      encoded !== null && credentialsHashOf(secret) !== credentialsHashOf({ type: dockerConfigType, data: { [dockerConfigKey]: encoded } });
    return { ...wanted, state: isOther ? 'foreign' : 'equivalent', changed: null };
  }
  const isStale = encoded !== null && secret.data?.[dockerConfigKey] !== encoded;
  return { ...wanted, state: isStale ? 'stale' : 'current', changed: latest(source?.changed ?? null, lastWrite(secret.metadata)) };
}

/** @returns null when one may not be read */
async function readSources(view: ClusterView, { namespace }: Release, loaded: ReleasePolicy | null): Promise<readonly Source[] | null> {
  const sources: Source[] = [];
  for (const [registry, { credentials, host }] of Object.entries(loaded?.compiled?.policy.registries ?? {})) {
    if (credentials === undefined || !('secret' in credentials)) continue;
    const { secret } = credentials;
    const what = `Secret ${secret} in namespace ${namespace}`;
    const found = await view.get<V1Secret>(`/api/v1/namespaces/${namespace}/secrets/${secret}`, what);
    if (found === null) return null;
    sources.push({ registry, secret, changed: lastWrite(found?.metadata), ...contentOf(`${namespace}/${secret}`, found, host) });
  }
  return sources;
}

function contentOf(name: string, secret: V1Secret | undefined, host: string | undefined): Pick<Source, 'encoded' | 'problem'> {
  if (secret === undefined) return { encoded: null, problem: `Secret ${name} does not exist` };
  try {
    const { encoded, mismatch } = readSourceSecret(name, secret, host);
    return { encoded, problem: mismatch };
  } catch (error) {
    return { encoded: null, problem: describeError(error) };
  }
}

function keyOf({ metadata }: KubernetesObject): string {
  return `${metadata?.namespace}/${metadata?.name}`;
}
