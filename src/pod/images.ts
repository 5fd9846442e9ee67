/**
 * Every field of a pod that contains an image. The complete list of the API:
 * https://kubernetes.io/docs/reference/generated/kubernetes-api/v1.36/#podspec-v1-core (containers, initContainers, ephemeralContainers,
 * and since 1.31 volumes[].image).
 */
import { list, listOf, maxListLength, member, objectOf, scalar, text, type ObjectFields, type Untrusted } from './fields.ts';

export type ImageList = 'containers' | 'initContainers' | 'ephemeralContainers' | 'volumes';

export interface ImageSite {
  readonly list: ImageList;
  readonly index: number;
  /** Name of the container or volume; empty if it has none yet. */
  readonly name: string;
  /** The image as written. */
  readonly image: string;
  /** imagePullPolicy, or pullPolicy of an image volume; null if absent. */
  readonly pullPolicy: string | null;
}

const containerLists = ['containers', 'initContainers', 'ephemeralContainers'] as const;

const containers = listOf(objectOf({ name: scalar, image: scalar, imagePullPolicy: scalar }));
/** Most volumes have no image, and the service account's volume has another name in every pod. */
const volumes = listOf(objectOf({ name: scalar, image: objectOf({ reference: scalar, pullPolicy: scalar }) }, 'image'));

/** Fields of `spec`. */
export const imageFields = { containers, initContainers: containers, ephemeralContainers: containers, volumes } as const;
type Spec = Untrusted<ObjectFields<typeof imageFields>>;

/**
 * Maximum number of images of one pod. No stored pod has as many: an object has at most 1.5 MiB in etcd, and an image takes at least 134
 * bytes of it, 111 of them in managedFields, which the API server adds.
 */
export const maxImages = 12_288;

/** Whether a list exceeds the maximum that is read. */
export function hasLongList(spec: Spec): boolean {
  return [...containerLists, 'volumes' as const].some((name) => list(spec, name).length > maxListLength);
}

/** Shared: a list may have ten thousand entries without an image. */
const none: ImageSite[] = [];

export function imagesOf(spec: Spec): ImageSite[] {
  return [...containerLists.flatMap((name) => containerImages(spec, name)), ...volumeImages(spec)];
}

function containerImages(spec: Spec, name: (typeof containerLists)[number]): ImageSite[] {
  return list(spec, name).flatMap((container, index) => {
    const image = text(container, 'image');
    if (image === null) return none;
    return [{ list: name, index, name: text(container, 'name') ?? '', image, pullPolicy: text(container, 'imagePullPolicy') }];
  });
}

function volumeImages(spec: Spec): ImageSite[] {
  return list(spec, 'volumes').flatMap((volume, index) => {
    const source = member(volume, 'image');
    const image = text(source, 'reference');
    if (image === null) return none;
    return [{ list: 'volumes' as const, index, name: text(volume, 'name') ?? '', image, pullPolicy: text(source, 'pullPolicy') }];
  });
}

/** JSON Pointer (RFC 6901) of the image, relative to the pod. */
export function imagePointer(site: ImageSite): string {
  return `/spec/${site.list}/${site.index}/${site.list === 'volumes' ? 'image/reference' : 'image'}`;
}

/** JSON Pointer (RFC 6901) of the image's pull policy. */
export function pullPolicyPointer(site: ImageSite): string {
  return `/spec/${site.list}/${site.index}/${site.list === 'volumes' ? 'image/pullPolicy' : 'imagePullPolicy'}`;
}

/** Name of an image in annotations: container names are unique in a pod, volumes have separate names. */
export function siteKey(site: ImageSite): string {
  return site.list === 'volumes' ? `volume.${site.name}` : site.name;
}
