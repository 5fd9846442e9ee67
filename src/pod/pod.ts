/** A pod as far as a decision needs it, read once from untrusted JSON. */
import { allAnnotations, annotationsOf, type AnnotationFields, type Annotations } from './annotations.ts';
import { any, identity, isTrue, list, listOf, member, objectOf, text, untrusted, type ObjectFields, type Untrusted } from './fields.ts';
import { imageFields, imagesOf, type ImageSite } from './images.ts';
import { labelFields, labelsOf } from './labels.ts';
import { pullSecretFields, pullSecretsOf, type PullSecrets } from './pull-secrets.ts';

export interface Owner {
  readonly kind: string;
  readonly name: string;
}

/** What decisions are made from. */
export interface PodContent {
  /** Those that were asked for, as far as the pod has them. */
  readonly labels: Readonly<Record<string, string>>;
  readonly annotations: Annotations;
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

const ownerFields = { ownerReferences: listOf(objectOf({ kind: any, name: identity('ownerName'), controller: any })) } as const;

export type PodFields = ReturnType<typeof podFields>;

/** @param labels keys of the labels that decisions read */
// oxlint-disable-next-line typescript/explicit-function-return-type -- the type is the declaration
export function podFields(labels: readonly string[], annotations: AnnotationFields = allAnnotations) {
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

/** @param value any JSON, of which the given fields are read */
export function readPod(value: unknown, fields: PodFields): Pod {
  const pod = untrusted(value, fields);
  const metadata = member(pod, 'metadata');
  const spec = member(pod, 'spec');
  return {
    name: text(metadata, 'name') ?? '',
    generateName: text(metadata, 'generateName') ?? '',
    labels: labelsOf(member(metadata, 'labels'), fields.members.metadata.members.labels),
    annotations: annotationsOf(metadata),
    owner: ownerOf(metadata),
    images: imagesOf(spec),
    pullSecrets: pullSecretsOf(spec),
  };
}

function ownerOf(metadata: Untrusted<ObjectFields<typeof ownerFields>>): Owner | null {
  const owners = list(metadata, 'ownerReferences');
  const owner = owners.find((candidate) => isTrue(candidate, 'controller')) ?? owners[0];
  return owner === undefined ? null : { kind: text(owner, 'kind') ?? '', name: text(owner, 'name') ?? '' };
}
