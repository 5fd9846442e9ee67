/** The images that a pod's node has pulled. */
import type { V1Pod } from '@kubernetes/client-node';

const lists = [
  ['initContainers', 'initContainerStatuses'],
  ['containers', 'containerStatuses'],
] as const;

/** Of containers that run or ran with the image that they have by now. */
export function pulledImages({ metadata, spec, status }: V1Pod): string[] {
  const observed = status?.observedGeneration;
  // After an update the status is about the image before (KEP-5067).
  if (observed !== undefined && metadata?.generation !== undefined && observed < metadata.generation) return [];
  return lists.flatMap(([list, statuses]) =>
    (status?.[statuses] ?? []).flatMap(({ name, state }) => {
      const image = spec?.[list]?.find((container) => container.name === name)?.image;
      return image !== undefined && (state?.running !== undefined || state?.terminated !== undefined) ? [image] : [];
    }),
  );
}
