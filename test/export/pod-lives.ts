/** Random requests about a pod, from its creation on. */
import * as fc from '../random/fast-check.ts';
import { chosenImage, podOf, records } from './arbitrary-pod.ts';
import { account, namespaces } from './engines.ts';

type Labels = Readonly<Record<string, string | null>>;

/** A change of a stored pod. */
export type Step =
  /** As `kubectl set image`: the container of the list by its position, counted again from the first where there are fewer. */
  | { readonly kind: 'image'; readonly list: 'containers' | 'initContainers'; readonly at: number; readonly image: string }
  /** The labels, and an image of the same update where there is one. */
  | { readonly kind: 'labels'; readonly labels: Labels; readonly image: string | null }
  /** The annotations, likewise. */
  | { readonly kind: 'annotations'; readonly annotations: Readonly<Record<string, string | null>>; readonly image: string | null }
  /** As the controller moves a container to an alternative; with the record of another step where `recorded` is another image. */
  | { readonly kind: 'move'; readonly at: number; readonly image: string; readonly recorded: string }
  /** As `kubectl debug`. */
  | { readonly kind: 'debug'; readonly images: readonly string[] }
  /** As `kubectl replace`: all images of containers. */
  | { readonly kind: 'replace'; readonly images: readonly string[] };

export interface PodLife {
  readonly namespace: string;
  readonly pod: { readonly metadata: object; readonly spec: object };
  readonly isDryRun: boolean;
  readonly steps: readonly Step[];
}

const rewriteLabel = fc.constantFrom('enabled', 'shadow', 'disabled', 'blue', '');
const changedLabels: fc.Arbitrary<Labels> = fc.record(
  {
    'transship.dev/rewrite': fc.option(rewriteLabel, { freq: 3 }),
    app: fc.constantFrom('shop', 'other', null),
    'cnpg.io/cluster': fc.constantFrom('db', null),
  },
  { requiredKeys: [] },
);

function stepOf(images: fc.Arbitrary<string>): fc.Arbitrary<Step> {
  const maybeImage = fc.option(images, { freq: 2 });
  return fc.oneof(
    {
      weight: 4,
      arbitrary: fc.record({
        kind: fc.constant('image' as const),
        list: fc.constantFrom('containers' as const, 'containers' as const, 'initContainers' as const),
        at: fc.nat(3),
        image: images,
      }),
    },
    { weight: 3, arbitrary: fc.record({ kind: fc.constant('labels' as const), labels: changedLabels, image: maybeImage }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('annotations' as const), annotations: records, image: maybeImage }),
    },
    {
      weight: 2,
      arbitrary: fc
        .record({ kind: fc.constant('move' as const), at: fc.nat(3), image: images, recorded: fc.option(images, { freq: 3, nil: null }) })
        .map(({ recorded, image, ...step }) => Object.assign(step, { image, recorded: recorded ?? image })),
    },
    { weight: 2, arbitrary: fc.record({ kind: fc.constant('debug' as const), images: fc.array(images, { minLength: 1, maxLength: 2 }) }) },
    {
      weight: 1,
      arbitrary: fc.record({ kind: fc.constant('replace' as const), images: fc.array(images, { minLength: 1, maxLength: 3 }) }),
    },
  );
}

/** What the pods of the other tests do not vary, since only one engine of theirs is real. */
const more = fc.record(
  {
    labels: fc.record(
      {
        'transship.dev/rewrite': fc.oneof({ weight: 2, arbitrary: fc.constant('enabled') }, { weight: 1, arbitrary: rewriteLabel }),
        'app.kubernetes.io/part-of': fc.constantFrom('transship', 'shop', 'shop', 'shop'),
      },
      { requiredKeys: [] },
    ),
    annotations: fc.oneof(
      { weight: 15, arbitrary: fc.constant({}) },
      { weight: 1, arbitrary: fc.constant({ 'kubernetes.io/config.mirror': 'x' }) },
    ),
    spec: fc.record(
      { serviceAccountName: fc.constant(account.metadata.name), enableServiceLinks: fc.constant(false) },
      { requiredKeys: [] },
    ),
    isSidecar: fc.boolean(),
    hasDisk: fc.boolean(),
  },
  { requiredKeys: ['annotations', 'isSidecar', 'hasDisk'] },
);

function anyPod(images: fc.Arbitrary<string>): fc.Arbitrary<PodLife['pod']> {
  return fc.tuple(podOf(images), more).map(([{ metadata, spec }, { labels, annotations, spec: moreSpec, isSidecar, hasDisk }]) => {
    const initContainers = (spec['initContainers'] as object[]).map((each) =>
      isSidecar ? Object.assign({}, each, { restartPolicy: 'Always' }) : each,
    );
    const volumes = [...(hasDisk ? [{ name: 'disk', emptyDir: {} }] : []), ...(spec['volumes'] as object[])];
    return {
      metadata: {
        labels: { ...(metadata?.['labels'] as object), ...labels },
        annotations: { ...(metadata?.['annotations'] as object), ...annotations },
      },
      spec: { ...spec, ...moreSpec, initContainers, volumes, automountServiceAccountToken: false },
    };
  });
}

const rewritten = ['shop', 'team-a', 'with-injector', 'with-sidecar'] as const;

/** @param images of its containers and volumes, beside any others */
export function podLife(images: readonly string[]): fc.Arbitrary<PodLife> {
  const chosen = fc.oneof({ weight: 2, arbitrary: fc.constantFrom(...images) }, { weight: 1, arbitrary: chosenImage });
  return fc.record({
    namespace: fc.oneof(
      { weight: 4, arbitrary: fc.constantFrom(...rewritten) },
      { weight: 1, arbitrary: fc.constantFrom(...Object.keys(namespaces), 'kube-system') },
    ),
    pod: anyPod(chosen),
    isDryRun: fc.constantFrom(true, false, false),
    steps: fc.array(stepOf(chosen), { minLength: 2, maxLength: 5 }),
  });
}
