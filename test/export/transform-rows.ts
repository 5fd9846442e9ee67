/** What each option of each transform is to an export: of `rewrite`, and of an alternative, whose pull secrets a new pod gets. */
import type { RuleInput } from '../rules/policy.ts';
import { nothing, ofPods, policy, registries, toMirror, type Input, type Meaning, type Rewrite, type Row } from './field-row.ts';

const ofTransforms: Record<
  Rewrite['as'],
  { readonly rewrite: Rewrite; readonly options: Readonly<Record<string, object>>; readonly node: Meaning }
> = {
  path: { rewrite: toMirror, options: { 'registry: string': { registry: 'other' }, 'prefix: string': { prefix: 'p' } }, node: 'said' },
  fullName: {
    rewrite: { registry: 'mirror', as: 'fullName' },
    options: { 'registry: string': { registry: 'other' }, 'prefix: string': { prefix: 'p' } },
    node: 'said',
  },
  remainder: {
    rewrite: { registry: 'mirror', as: 'remainder' },
    options: { 'registry: string': { registry: 'other' }, 'prefix: string': { prefix: 'p' } },
    node: 'said',
  },
  flatten: {
    rewrite: { registry: 'mirror', as: 'flatten' },
    options: { 'registry: string': { registry: 'other' }, 'prefix: string': { prefix: 'p' } },
    node: 'refused',
  },
  escape: {
    rewrite: { registry: 'mirror', as: 'escape' },
    options: { 'registry: string': { registry: 'other' }, 'prefix: string': { prefix: 'p' } },
    node: 'refused',
  },
  singleRepository: {
    rewrite: { registry: 'mirror', as: 'singleRepository', repository: 'all' },
    options: {
      'registry: string': { registry: 'other' },
      'prefix: string': { prefix: 'p' },
      'repository: string': { repository: 'others' },
    },
    node: 'refused',
  },
  image: {
    rewrite: { as: 'image', image: 'other.example.com/one:1' },
    options: { 'image: string': { image: 'other.example.com/two:1' }, 'registry: string': { registry: 'secret' } },
    node: 'refused',
  },
  template: {
    rewrite: { as: 'template', template: 'other.example.com/one' },
    options: { 'template: string': { template: 'other.example.com/two' }, 'registry: string': { registry: 'secret' } },
    node: 'refused',
  },
};

const withSecrets: Input = {
  registries: {
    ...registries,
    secret: { host: 'secret.example.com', pullSecrets: ['s'] },
    // Each is where an option leads.
    prefixed: { host: 'mirror.example.com/hub/p', pullSecrets: ['of-prefix'] },
    others: { host: 'mirror.example.com/hub/others', pullSecrets: ['of-repository'] },
    library: { host: 'mirror.example.com/hub/library', pullSecrets: ['of-library'] },
    hub: { host: 'mirror.example.com/hub/docker.io', pullSecrets: ['of-hub'] },
    two: { host: 'other.example.com/two', pullSecrets: ['of-two'] },
  },
};

/** A template takes captures. */
const matchOf = ({ as }: Rewrite): Pick<RuleInput, 'match'> | object =>
  as === 'template' ? { match: { images: [{ regex: '^(quay[.]io)/' }] } } : {};
const rewritten = (rewrite: Rewrite): Input => policy({ ...matchOf(rewrite), rewrite }, rewrite.registry === 'secret' ? withSecrets : {});
const moved = (target: Rewrite): Input =>
  policy({ ...matchOf(target), rewrite: { registry: 'open', as: 'path' }, alternatives: [target] }, withSecrets);

const hasSpelling = (as: string): boolean => as === 'path' || as === 'fullName';
const hasCollisions = (as: string): boolean => as !== 'image';

export const transformRows = Object.entries(ofTransforms).flatMap(([as, { rewrite, options, node }]): Row[] => {
  const isTemplate = as === 'template';
  const admission = isTemplate ? 'refused' : 'said';
  const key = (option: string): string[] => [`rules[].rewrite(${as}).${option}`];
  const other = (option: string): string[] => [`rules[].alternatives[](${as}).${option}`];
  const at = 'rules.0.rewrite.as';
  const nodeAt = isTemplate ? 'rules.0.match.images.0' : at;
  const ofAlternative = {
    node: 'refused',
    nodeAt: isTemplate ? nodeAt : 'rules.0.alternatives',
    at: 'rules.0.alternatives.0',
  } as const;
  const changed = (more: object): Rewrite => ({ ...rewrite, ...more });
  const inSecret = changed({ registry: 'secret' });
  const defaults = node === 'said' ? 'nothing' : 'refused';
  const ofTransform: Row[][] = [
    [
      {
        keys: key(`as = "${as}"`),
        with: rewritten(rewrite),
        without: rewritten({ registry: 'open', as: as === 'path' ? 'fullName' : 'path' }),
        admission,
        node,
        nodeAt,
        at,
      },
      {
        keys: other(`as = "${as}"`),
        with: moved(inSecret),
        without: moved({ registry: 'open', as: 'fullName' }),
        admission,
        ...ofAlternative,
      },
    ],
    Object.entries(options).flatMap(([option, more]): Row[] => [
      { keys: key(option), with: rewritten(changed(more)), without: rewritten(rewrite), admission, node, nodeAt, at },
      {
        keys: other(option),
        with: moved(option === 'registry: string' ? inSecret : changed(more)),
        without: moved(rewrite),
        admission,
        ...ofAlternative,
      },
    ]),
    (hasCollisions(as) ? ['warn', 'accept'] : []).flatMap((collisions): Row[] => [
      {
        keys: key(`collisions = "${collisions}"`),
        with: rewritten(changed({ collisions })),
        without: rewritten(rewrite),
        admission: isTemplate ? 'refused' : 'nothing',
        node: defaults,
        nodeAt,
        at,
      },
      {
        keys: other(`collisions = "${collisions}"`),
        with: moved(changed({ collisions })),
        without: moved(rewrite),
        admission: isTemplate ? 'refused' : 'nothing',
        ...ofAlternative,
      },
    ]),
    (hasSpelling(as) ? (['canonical', 'written'] as const) : []).flatMap((spelling): Row[] => [
      {
        keys: key(`spelling = "${spelling}"`),
        with: rewritten(changed({ spelling })),
        without: rewritten(rewrite),
        ...(spelling === 'canonical' ? nothing : ofPods),
        at: 'rules.0.rewrite.spelling',
      },
      {
        keys: other(`spelling = "${spelling}"`),
        with: moved(changed({ spelling })),
        without: moved(rewrite),
        admission: spelling === 'canonical' ? 'nothing' : 'said',
        ...ofAlternative,
      },
    ]),
  ];
  return ofTransform.flat();
});
