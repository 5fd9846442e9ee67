/** The fields of a pod that decisions need, read once from untrusted JSON. */
import { annotationsOf, measuredAnnotations, type AnnotationFields, type Annotations } from './annotations.ts';
import {
  identity,
  isTrue,
  list,
  listOf,
  maxListLength,
  member,
  objectOf,
  scalar,
  text,
  untrusted,
  type ObjectFields,
  type Untrusted,
} from './fields.ts';
import { hasLongList, imageFields, imagesOf, maxImages, type ImageSite } from './images.ts';
import { labelFields, labelsOf } from './labels.ts';
import { pullSecretFields, pullSecretsOf, type PullSecrets } from './pull-secrets.ts';

export interface Owner {
  readonly kind: string;
  readonly name: string;
}

/** The input of decisions. */
export interface PodContent {
  /** The requested labels that the pod has. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Annotations;
  readonly images: readonly ImageSite[];
  readonly pullSecrets: PullSecrets;
  /** What exceeds the limits of a valid pod; null for a valid one. If set, there are no images here. */
  readonly excess: string | null;
}

export interface Pod extends PodContent {
  /** Empty until `generateName` is expanded: names are generated after admission. */
  readonly name: string;
  readonly generateName: string;
  /** The controller that created the pod; null for a bare pod. */
  readonly owner: Owner | null;
}

const ownerFields = { ownerReferences: listOf(objectOf({ kind: scalar, name: identity('ownerName'), controller: scalar })) } as const;

export type PodFields = ReturnType<typeof podFields>;

/** @param labels keys of the labels that decisions read */
// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is the declaration
export function podFields(labels: readonly string[], annotations: AnnotationFields = measuredAnnotations) {
  return objectOf({
    metadata: objectOf({
      name: identity('podName'),
      generateName: identity('generateName'),
      labels: labelFields(labels),
      annotations,
      ...ownerFields,
    }),
    spec: objectOf({ ...imageFields, ...pullSecretFields }),
  });
}

/**
 * @param value any JSON, of which the given fields are read
 * @param annotationsLength bytes of the undeclared annotations; null if they are in the value
 */
export function readPod(value: unknown, fields: PodFields, annotationsLength: number | null = null): Pod {
  const pod = untrusted(value, fields);
  const metadata = member(pod, 'metadata');
  const spec = member(pod, 'spec');
  const annotations = annotationsOf(metadata, annotationsLength);
  const pullSecrets = pullSecretsOf(spec);
  const images = hasLongList(spec) ? null : imagesOf(spec);
  const excess = excessOf(images, pullSecrets, annotations);
  return {
    name: text(metadata, 'name') ?? '',
    generateName: text(metadata, 'generateName') ?? '',
    labels: labelsOf(member(metadata, 'labels'), fields.members.metadata.members.labels),
    annotations,
    owner: ownerOf(metadata),
    images: excess === null && images !== null ? images : [],
    pullSecrets,
    excess,
  };
}

function excessOf(images: readonly ImageSite[] | null, { length }: PullSecrets, { isTooLong }: Annotations): string | null {
  if (images === null) return `${maxListLength} containers or volumes`;
  if (images.length > maxImages) return `${maxImages} images`;
  if (length > maxListLength) return `${maxListLength} pull secrets`;
  return isTooLong ? '256 KiB of annotations' : null;
}

function ownerOf(metadata: Untrusted<ObjectFields<typeof ownerFields>>): Owner | null {
  const owners = list(metadata, 'ownerReferences');
  const owner = owners.find((candidate) => isTrue(candidate, 'controller')) ?? owners[0];
  return owner === undefined ? null : { kind: text(owner, 'kind') ?? '', name: text(owner, 'name') ?? '' };
}
