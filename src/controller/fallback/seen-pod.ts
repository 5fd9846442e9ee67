/** What is kept of a pod: everything that a step depends on where an image cannot be pulled, and nearly nothing of all other pods. */
import type { V1Container, V1ContainerStatus, V1EphemeralContainer, V1Pod } from '@kubernetes/client-node';

import { maxTextLength } from '../../image/grammar.ts';
import { mirrorAnnotation, originalImagesAnnotation, parseRecord } from '../../pod/annotations.ts';
import { fallbackAnnotation, parseFallback, type FallbackRecord, type FallbackStep } from '../../pod/fallback-record.ts';
import type { ImageList } from '../../pod/images.ts';
import { isPullReason, pullFailureOf, type PullFailure, type PullReason } from '../../pod/pull-failure.ts';
import { namesImage } from '../../pod/pull-message.ts';

/** A container that waits for an image that its node could not pull. */
export interface FailingContainer {
  readonly list: Exclude<ImageList, 'volumes'>;
  readonly name: string;
  readonly image: string;
  readonly pullPolicy: string | null;
  readonly reason: PullReason;
  readonly failure: PullFailure;
  /** The image volume that the kubelet speaks of, in place of the container's image; null for none. */
  readonly volume: { readonly name: string; readonly image: string } | null;
}

export interface SeenPod {
  readonly metadata: NonNullable<V1Pod['metadata']>;
  /** Milliseconds since 1970. */
  readonly createdAt: number;
  readonly isMirror: boolean;
  readonly failing: readonly FailingContainer[];
  /** Images as written in the pod, by container. */
  readonly originals: ReadonlyMap<string, string>;
  readonly steps: FallbackRecord;
  readonly pullSecrets: readonly string[];
}

const noPulls: Pick<SeenPod, 'createdAt' | 'isMirror' | 'failing' | 'originals' | 'steps' | 'pullSecrets'> = {
  createdAt: 0,
  isMirror: false,
  failing: [],
  originals: new Map(),
  steps: new Map(),
  pullSecrets: [],
};

export function seenPod(pod: V1Pod): SeenPod {
  const { name, namespace, uid, resourceVersion, labels, deletionTimestamp, creationTimestamp, annotations = {} } = pod.metadata ?? {};
  const steps = parseFallback(annotations[fallbackAnnotation] ?? null);
  const failing = deletionTimestamp === undefined ? failingContainers(pod, steps) : [];
  const identity = { ...(name !== undefined && { name }), ...(namespace !== undefined && { namespace }) };
  if (failing.length === 0) return { metadata: { ...identity, ...(resourceVersion !== undefined && { resourceVersion }) }, ...noPulls };
  return {
    metadata: {
      ...identity,
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      labels: labels ?? {},
    },
    createdAt: creationTimestamp === undefined ? 0 : new Date(creationTimestamp).getTime(),
    isMirror: annotations[mirrorAnnotation] !== undefined,
    failing,
    originals: kept(parseRecord(annotations[originalImagesAnnotation] ?? ''), failing),
    steps: ofContainers(steps, pod),
    pullSecrets: (pod.spec?.imagePullSecrets ?? []).map((secret) => secret.name ?? ''),
  };
}

/** Anybody who writes annotations may make a record as long as they like: only the entries of failing containers are kept. */
function kept(originals: ReadonlyMap<string, string>, failing: readonly FailingContainer[]): ReadonlyMap<string, string> {
  return new Map(
    failing.flatMap(({ name }): [string, string][] => {
      const original = originals.get(name);
      return original === undefined || original.length > maxTextLength ? [] : [[name, original]];
    }),
  );
}

function ofContainers(steps: FallbackRecord, { spec }: V1Pod): FallbackRecord {
  const names = new Set([...(spec?.containers ?? []), ...(spec?.initContainers ?? [])].map(({ name }) => name));
  return new Map([...steps].filter(([name]) => names.has(name)));
}

const lists = [
  ['initContainers', 'initContainerStatuses'],
  ['containers', 'containerStatuses'],
  ['ephemeralContainers', 'ephemeralContainerStatuses'],
] as const;

function failingContainers(pod: V1Pod, steps: FallbackRecord): FailingContainer[] {
  return lists.flatMap(([list, statuses]) =>
    (pod.status?.[statuses] ?? []).flatMap((status): FailingContainer[] => {
      const { reason = '', message = '' } = status.state?.waiting ?? {};
      if (!isPullReason(reason)) return [];
      const container = containerOf(pod, list, status);
      const image = container?.image;
      if (container === undefined || image === undefined || isStale(pod, status, image)) return [];
      if (isAboutImageBefore(message, image, steps.get(status.name))) return [];
      const volume = volumeOf(pod, image, message);
      return [
        {
          list,
          name: status.name,
          image,
          pullPolicy: container.imagePullPolicy ?? null,
          reason,
          failure: causeOf(reason, volume === null ? [image] : [image, volume.image], message),
          volume,
        },
      ];
    }),
  );
}

/**
 * After an update the status is about the image before, until the kubelet has tried the new one. Kubernetes says so since 1.34 (KEP-5067);
 * before, by the name of the image.
 */
function isStale({ metadata, status }: V1Pod, { image: reported, state }: V1ContainerStatus, image: string): boolean {
  const observed = status?.observedGeneration;
  if (observed !== undefined && metadata?.generation !== undefined && observed < metadata.generation) return true;
  return reported !== image && !namesImage(state?.waiting?.message ?? '', image);
}

/** The kubelet keeps the failure of the image before for a moment, also in a status that has seen the update, and with the new name beside it. */
function isAboutImageBefore(message: string, image: string, step: FallbackStep | undefined): boolean {
  return step?.to === image && namesImage(message, step.from) && !namesImage(message, image);
}

function containerOf(
  { spec }: V1Pod,
  list: FailingContainer['list'],
  { name }: V1ContainerStatus,
): V1Container | V1EphemeralContainer | undefined {
  const containers: readonly (V1Container | V1EphemeralContainer)[] = spec?.[list] ?? [];
  return containers.find((container) => container.name === name);
}

/** Without the message, which may be long. */
function causeOf(reason: PullReason, images: readonly string[], message: string): PullFailure {
  const { code, sentence, remedy } = pullFailureOf(reason, images, [message]);
  return { code, sentence, remedy };
}

/** A container also waits for its image volumes, with the same reasons (kubernetes/kubernetes, pkg/kubelet/kuberuntime, getImageVolumes). */
function volumeOf({ spec }: V1Pod, image: string, message: string): FailingContainer['volume'] {
  if (namesImage(message, image)) return null;
  for (const { name, image: source } of spec?.volumes ?? [])
    if (source?.reference !== undefined && namesImage(message, source.reference)) return { name, image: source.reference };
  return null;
}
