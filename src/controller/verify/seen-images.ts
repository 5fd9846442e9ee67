/** The images that pods name, each with how many pods name it, and which of them are checked: at most so many. */
import { LRUCache } from 'lru-cache';

import type { PodImage } from './pod-images.ts';

interface Seen extends PodImage {
  pods: number;
}

export interface SeenImagesOptions {
  /** Images that are checked at once. Of more, those that pods named last. */
  readonly max: number;
  readonly onAdd: (image: PodImage) => void;
  /** An image is no longer checked, or no longer there. */
  readonly onRemove: (image: PodImage) => void;
}

export class SeenImages {
  readonly #options: SeenImagesOptions;
  readonly #images = new Map<string, Seen>();
  /** By pod. */
  readonly #pods = new Map<string, readonly string[]>();
  readonly #checked: LRUCache<string, Seen>;

  constructor(options: SeenImagesOptions) {
    this.#options = options;
    this.#checked = new LRUCache({ max: options.max, dispose: (seen) => options.onRemove(seen) });
  }

  /** How many are not checked. */
  get leftOut(): number {
    return this.#images.size - this.#checked.size;
  }

  /** @param images of the pod; empty when it is gone */
  setPod(pod: string, images: readonly PodImage[]): void {
    const before = this.#pods.get(pod) ?? [];
    if (images.length === 0) this.#pods.delete(pod);
    else
      this.#pods.set(
        pod,
        images.map(({ image }) => image),
      );
    for (const image of images) this.#add(image, before.includes(image.image));
    for (const image of before) if (!images.some((each) => each.image === image)) this.#release(image);
  }

  /** Forgets pods that are gone. */
  retainPods(isThere: (pod: string) => boolean): void {
    for (const pod of this.#pods.keys()) if (!isThere(pod)) this.setPod(pod, []);
  }

  clear(): void {
    this.retainPods(() => false);
  }

  #add(image: PodImage, isKnown: boolean): void {
    if (isKnown) return;
    const seen = this.#images.get(image.image) ?? { ...image, pods: 0 };
    seen.pods += 1;
    this.#images.set(image.image, seen);
    if (this.#checked.get(image.image) === undefined) this.#check(seen);
  }

  #check(seen: Seen): void {
    this.#checked.set(seen.image, seen);
    this.#options.onAdd(seen);
  }

  #release(image: string): void {
    const seen = this.#images.get(image);
    if (seen === undefined) return;
    seen.pods -= 1;
    if (seen.pods > 0) return;
    this.#images.delete(image);
    if (!this.#checked.delete(image)) this.#options.onRemove(seen);
    if (this.leftOut === 0) return;
    const next = [...this.#images.values()].find((each) => !this.#checked.has(each.image));
    if (next !== undefined) this.#check(next);
  }
}
