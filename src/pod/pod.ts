/** A pod as far as a decision needs it, read once from untrusted JSON. */
import { imagesOf, type ImageSite } from './images.ts';
import { isObject, list, member, strings, text } from './json.ts';
import { pullSecretsOf, type PullSecrets } from './pull-secrets.ts';

export interface Owner {
  readonly kind: string;
  readonly name: string;
}

/** What decisions are made from. */
export interface PodContent {
  readonly labels: Readonly<Record<string, string>>;
  /** Null when there are none, so that a patch must add the map first. The webhook leaves out those that cannot matter. */
  readonly annotations: Readonly<Record<string, string>> | null;
  /** Whether `metadata` is there and can take an annotation: false too when something other than a map stands in its place. */
  readonly hasMetadata: boolean;
  readonly images: readonly ImageSite[];
  readonly pullSecrets: PullSecrets;
}

export interface Pod extends PodContent {
  /** Empty while `generateName` has not been expanded: names are made after admission. */
  readonly name: string;
  readonly generateName: string;
  /** The controller that made the pod; null for a bare pod. */
  readonly owner: Owner | null;
}

export function readPod(value: unknown): Pod {
  const metadata = member(value, 'metadata');
  const annotations = member(metadata, 'annotations') ?? null;
  return {
    name: text(metadata, 'name') ?? '',
    generateName: text(metadata, 'generateName') ?? '',
    labels: strings(metadata, 'labels'),
    annotations: isObject(annotations) ? strings(metadata, 'annotations') : null,
    hasMetadata: isObject(metadata) && (annotations === null || isObject(annotations)),
    owner: ownerOf(metadata),
    images: imagesOf(value),
    pullSecrets: pullSecretsOf(value),
  };
}

function ownerOf(metadata: unknown): Owner | null {
  const owners = list(metadata, 'ownerReferences');
  const owner = owners.find((candidate) => member(candidate, 'controller') === true) ?? owners[0];
  return owner === undefined ? null : { kind: text(owner, 'kind') ?? '', name: text(owner, 'name') ?? '' };
}

/** Label that opts a namespace or a pod in or out. */
export const rewriteLabel = 'transship.dev/rewrite';

/** Annotation of pods that the kubelet made from a file: the API object is only their mirror. */
export const mirrorAnnotation = 'kubernetes.io/config.mirror';
