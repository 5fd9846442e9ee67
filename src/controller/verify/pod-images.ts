/** What is kept of a pod, and the images of verified registries that its nodes may pull for it. Pure. */
import type { V1Container, V1EphemeralContainer, V1Pod, V1PodSpec } from '@kubernetes/client-node';

import { referenceOf } from '../../image/reference.ts';
import { decideDocument } from '../../manifests/decide.ts';
import { mirrorAnnotation, originalImagesAnnotation } from '../../pod/annotations.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { isPodOptedIn, type TargetScope } from '../secrets/target-namespaces.ts';
import { registryOf, type VerifiedRegistry } from './verified-registries.ts';

export interface PodImage {
  /** As a node pulls it. */
  readonly image: string;
  readonly registry: string;
  /** As the pod was written. */
  readonly source: string;
}

export interface PodImagesContext {
  readonly policy: CompiledPolicy;
  readonly registries: readonly VerifiedRegistry[];
  readonly scope: TargetScope;
  /** Labels of the pod's namespace; null where the namespace is not known (any more). */
  readonly namespaceLabels: Readonly<Record<string, string>> | null;
}

/** What decisions about its images read; of a pod that is being deleted, no images: it pulls nothing any more. */
export function withImages({ metadata = {}, spec }: V1Pod): V1Pod {
  const { name, namespace, resourceVersion, labels, annotations = {}, deletionTimestamp } = metadata;
  const kept = [originalImagesAnnotation, mirrorAnnotation].flatMap((key) =>
    annotations[key] === undefined ? [] : [[key, annotations[key]]],
  );
  return {
    metadata: {
      ...(name !== undefined && { name }),
      ...(namespace !== undefined && { namespace }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      ...(labels !== undefined && { labels }),
      ...(kept.length > 0 && { annotations: Object.fromEntries(kept) }),
    },
    spec: deletionTimestamp === undefined && spec !== undefined ? imagesOf(spec) : { containers: [] },
  };
}

function imagesOf({ containers, initContainers = [], ephemeralContainers = [], volumes = [] }: V1PodSpec): V1PodSpec {
  return {
    containers: containers.map(imageOf),
    initContainers: initContainers.map(imageOf),
    ephemeralContainers: ephemeralContainers.map(imageOf),
    volumes: volumes.flatMap(({ name, image }) => (image === undefined ? [] : [{ name, image }])),
  };
}

function imageOf({ name, image, imagePullPolicy }: V1Container | V1EphemeralContainer): V1Container {
  return { name, ...(image !== undefined && { image }), ...(imagePullPolicy !== undefined && { imagePullPolicy }) };
}

/** Equal for pods of which the same follows. */
export function keyOfImages({ metadata, spec }: V1Pod): string {
  const { namespace, labels, annotations } = metadata ?? {};
  return JSON.stringify([namespace, labels, annotations, spec]);
}

/** Each once: the first target of its rule, and the alternatives; for an image that no rule rewrites, the image itself. */
export function imagesOfPod(pod: V1Pod, { policy, registries, scope, namespaceLabels }: PodImagesContext): PodImage[] {
  const { namespace = '', labels = {} } = pod.metadata ?? {};
  if (namespaceLabels === null || !isPodOptedIn({ namespace, labels }, namespaceLabels, scope)) return [];
  const document = { apiVersion: 'v1', kind: 'Pod', metadata: pod.metadata, spec: pod.spec };
  const { images } = decideDocument(policy, document, { namespaceOf: () => namespace, originals: 'recorded' });
  const found = new Map<string, PodImage>();
  for (const { decision } of images) {
    if (decision.code === 'pod-excluded' || decision.site.pullPolicy === 'Never') continue;
    const targets = [decision.result ?? decision.image, ...decision.alternatives.map(({ image }) => image)];
    for (const image of targets) {
      const reference = image === null ? null : referenceOf(image);
      const registry = reference === null ? null : registryOf(registries, reference);
      if (image === null || registry === null || found.has(image)) continue;
      found.set(image, { image, registry: registry.name, source: decision.image });
    }
  }
  return [...found.values()];
}
