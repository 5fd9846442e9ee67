/**
 * Image sets of kube-image-keeper 2: (Cluster)ImageSetMirror and (Cluster)ReplicatedImageSet.
 * https://github.com/enix/kube-image-keeper/blob/v2.0.0/docs/crds.md, image-routing.md
 */
import * as z from 'zod';
import type { PatternSource } from '../policy/types.ts';
import { parsePattern } from '../rules/pattern.ts';
import { pathTarget, readAddress, type Address } from './address.ts';
import { slug, type Draft, type DraftRule, type DraftTarget } from './draft.ts';
import { kubernetesObjects } from './kubernetes-objects.ts';
import { checked, fail, type Located, type SourceText } from './source.ts';

const filter = z.looseObject({ include: z.array(z.string()).nullish(), exclude: z.array(z.string()).nullish() }).nullish();
const place = z.looseObject({
  registry: z.string(),
  path: z.string().nullish(),
  priority: z.number().nullish(),
  imageFilter: filter,
  credentialSecret: z.looseObject({ name: z.string() }).nullish(),
});
const imageSet = z.looseObject({
  kind: z.string(),
  metadata: z.looseObject({ name: z.string(), namespace: z.string().optional() }),
  spec: z.looseObject({
    priority: z.number().nullish(),
    imageFilter: filter,
    mirrors: z.array(place).nullish(),
    upstreams: z.array(place).nullish(),
  }),
});
type ImageSet = z.output<typeof imageSet>;
type Place = z.output<typeof place>;

const kinds = ['ClusterImageSetMirror', 'ImageSetMirror', 'ClusterReplicatedImageSet', 'ReplicatedImageSet'] as const;

export function importKubeImageKeeper(sources: readonly SourceText[]): Draft {
  const sets = kubernetesObjects(sources, kinds).map((object) => checked(object, imageSet));
  // The lowest priority is tried first, and kinds in this order.
  const order = ({ value: { kind, spec } }: Located<ImageSet>): number =>
    (spec.priority ?? 0) * kinds.length + kinds.findIndex((each) => each === kind);
  const sorted = sets.toSorted((one, other) => order(one) - order(other));
  return {
    origin: 'image sets of kube-image-keeper',
    notes: [
      'kube-image-keeper merges the places of all sets for an image; here the first rule decides.',
      'kube-image-keeper copies images to its mirrors, and asks for each pod which place has the image. Fill the registry yourself: transship images writes a script.',
    ],
    exclude: [],
    rules: sorted.flatMap(rulesOf),
  };
}

function rulesOf(set: Located<ImageSet>): DraftRule[] {
  const { mirrors, upstreams, priority, ...others } = set.value.spec;
  const { kind, metadata } = set.value;
  const unread = Object.keys(others).filter((key) => !['imageFilter', 'cleanup'].includes(key));
  const notes = [
    `${kind} ${metadata.name}`,
    ...((priority ?? 0) < 0
      ? []
      : ['kube-image-keeper asks the host of the image first, as its priority is not negative; here the mirror comes first.']),
    ...(unread.length === 0 ? [] : [`Not imported: ${unread.join(', ')}. Conditions of pods are match.namespaces and match.podLabels.`]),
  ];
  const shared = { name: slug(metadata.name), notes, ...(metadata.namespace === undefined ? {} : { namespaces: [metadata.namespace] }) };
  return kind.endsWith('ImageSetMirror') ? mirrorRules(set, mirrors ?? [], shared) : replicatedRules(set, upstreams ?? [], shared);
}

type Shared = Pick<DraftRule, 'name' | 'notes' | 'namespaces'>;

function mirrorRules(set: Located<ImageSet>, mirrors: readonly Place[], shared: Shared): DraftRule[] {
  const places = inOrder(mirrors).map(({ entry, index }) => ({ entry, address: addressAt(set, entry, ['spec', 'mirrors', index]) }));
  const [first, ...more] = places;
  if (first === undefined) return [];
  const { include, exclude } = set.value.spec.imageFilter ?? {};
  const patterns = (key: 'include' | 'exclude', texts: readonly string[]): PatternSource[] =>
    texts.map((text, index) => patternOf(set, text, ['spec', 'imageFilter', key, index]));
  return [
    {
      ...shared,
      notes: [...shared.notes, ...secretNotes(mirrors)],
      images: patterns('include', include === undefined || include === null || include.length === 0 ? ['.*'] : include),
      exclude: [...patterns('exclude', exclude ?? []), ...places.map(({ address }) => nameOf(address))],
      target: pathTarget(first.address),
      alternatives: [...more.map(({ address }) => pathTarget(address)), { as: 'original' }],
    },
  ];
}

/** Each upstream has the images of the others below its own path: those of the first are taken for all. */
function replicatedRules(set: Located<ImageSet>, upstreams: readonly Place[], shared: Shared): DraftRule[] {
  const places = inOrder(upstreams).map(({ entry, index }) => ({ entry, address: addressAt(set, entry, ['spec', 'upstreams', index]) }));
  const [first] = places.map(({ address: { host, path } }): DraftTarget => ({ as: 'remainder', host, prefix: path }));
  // An image under a target is left alone, so a place that others come from can be none.
  const others = places.length > 2 ? ['Only the first place by priority is imported as a target.'] : [];
  return places.flatMap(({ entry, address }, index) => {
    if (first === undefined || index === 0) return [];
    const name = nameOf(address);
    const isFiltered = [...(entry.imageFilter?.include ?? []), ...(entry.imageFilter?.exclude ?? [])].some(
      (text) => !/(?:^|[:/])\.[*+]$/.test(text),
    );
    const rule: DraftRule = {
      ...shared,
      name: slug(`${shared.name}-${address.host}`),
      notes: [
        ...shared.notes,
        ...others,
        ...secretNotes(upstreams),
        ...(isFiltered ? [`The imageFilter of ${name} is not imported.`] : []),
      ],
      images: [name],
      target: first,
      alternatives: [{ as: 'original' }],
    };
    return [rule];
  });
}

const nameOf = ({ host, path }: Address): string => (path === '' ? host : `${host}/${path}`);

function inOrder(entries: readonly Place[]): { readonly entry: Place; readonly index: number }[] {
  return entries
    .map((entry, index) => ({ entry, index }))
    .toSorted((one, other) => (one.entry.priority ?? 0) - (other.entry.priority ?? 0));
}

function secretNotes(places: readonly Place[]): string[] {
  const secrets = [...new Set(places.flatMap(({ credentialSecret }) => credentialSecret?.name ?? []))];
  return secrets.length === 0 ? [] : [`Credentials are in ${secrets.join(', ')} there: name a pull secret in pullSecrets of the registry.`];
}

function addressAt(set: Located<ImageSet>, { registry, path }: Place, at: readonly (string | number)[]): Address {
  const address = readAddress([registry, (path ?? '').replaceAll(/^\/+|\/+$/g, '')].filter((part) => part !== '').join('/'));
  return typeof address === 'string' ? fail(set, at, address) : address;
}

/** An expression of the whole name, which CompileIncludeExcludeFilter encloses in `^(…)$`. */
function patternOf(set: Located<unknown>, text: string, path: readonly (string | number)[]): PatternSource {
  if (text === '.*' || text === '.+') return '*';
  const name = /^([a-z0-9.:-]+(?:\/[a-z0-9_-]+)*)\/\.[*+]$/.exec(text)?.[1]?.replaceAll('\\', '');
  if (name !== undefined && parsePattern(name).ok) return name;
  const parsed = parsePattern({ regex: `^(?:${text})$` });
  return parsed.ok ? { regex: `^(?:${text})$` } : fail(set, path, parsed.problem);
}
