/** A step as one patch of a pod: the images of its containers, and their record. Pure. */
import type { V1Pod } from '@kubernetes/client-node';

import { fallbackAnnotation, fallbackText, nextStep, type FallbackRecord } from '../../pod/fallback-record.ts';
import type { Move } from './fallback-plan.ts';
import type { SeenPod } from './seen-pod.ts';

/** The image that a container has in place of the alternative, for people; null where it has that. */
export function undoneTo(stored: V1Pod, { container: { list, name }, to }: Move): string | null {
  if (list === 'ephemeralContainers') return null;
  const image = stored.spec?.[list]?.find((each) => each.name === name)?.image;
  return image === to ? null : `container ${name} has ${image ?? 'no image'} in place of ${to}`;
}

/** The record of the pod with the new steps. */
export function recordOf({ steps }: SeenPod, moves: readonly Move[], at = new Date()): FallbackRecord {
  const record = new Map(steps);
  for (const { container, step, to, failure } of moves) {
    const next = { step, from: container.image, to, at: at.toISOString(), reason: failure.code };
    record.set(container.name, nextStep(steps.get(container.name), next));
  }
  return record;
}

/** The version makes it one step: a pod that another leader has moved meanwhile has another version. */
export function patchOf({ metadata }: SeenPod, moves: readonly Move[], record: FallbackRecord): V1Pod {
  const { uid, resourceVersion } = metadata;
  const imagesIn = (list: Move['container']['list']): { name: string; image: string }[] =>
    moves.filter(({ container }) => container.list === list).map(({ container, to }) => ({ name: container.name, image: to }));
  const [containers, initContainers] = [imagesIn('containers'), imagesIn('initContainers')];
  return {
    metadata: {
      ...(uid !== undefined && { uid }),
      ...(resourceVersion !== undefined && { resourceVersion }),
      annotations: { [fallbackAnnotation]: fallbackText(record) },
    },
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a patch: both lists may be absent
    spec: { ...(containers.length > 0 && { containers }), ...(initContainers.length > 0 && { initContainers }) } as NonNullable<
      V1Pod['spec']
    >,
  };
}
