/** What two policies make of one image, where that is not the same. */
import type { ImageDecision } from './decision.ts';

export interface Difference {
  readonly image: string;
  readonly old: ImageDecision;
  readonly new: ImageDecision;
}

/** Null when nothing of it reaches a pod: a rule may be renamed, and a reason differ. */
export function differenceOf(old: ImageDecision, now: ImageDecision): Difference | null {
  const isSame =
    old.outcome === now.outcome &&
    old.result === now.result &&
    old.pullPolicy === now.pullPolicy &&
    isEqual(old.pullSecrets, now.pullSecrets) &&
    isEqual(alternativeImages(old), alternativeImages(now));
  return isSame ? null : { image: old.image, old, new: now };
}

/** Where a node may pull the image from when it cannot from the first target, in order. */
export function alternativeImages({ alternatives }: ImageDecision): string[] {
  return alternatives.flatMap(({ image }) => image ?? []);
}

/** In order: the order is that of the pod's list. */
function isEqual(one: readonly string[], other: readonly string[]): boolean {
  return one.length === other.length && one.every((name, index) => name === other[index]);
}
