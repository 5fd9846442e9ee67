/**
 * Remembers why an image could not be pulled. Before Kubernetes 1.32 a container in ImagePullBackOff does not repeat the cause that it
 * had in ErrImagePull.
 */
import { LRUCache } from 'lru-cache';

import type { PullFailure } from '../../pod/pull-failure.ts';
import type { FailingContainer, SeenPod } from './seen-pod.ts';

const maxCauses = 10_000;

export class KnownCauses {
  readonly #causes = new LRUCache<string, PullFailure>({ max: maxCauses });

  /** The pod with the causes that were seen before, where the kubelet does not say one now. */
  complete(pod: SeenPod): SeenPod {
    if (pod.failing.length === 0) return pod;
    return { ...pod, failing: pod.failing.map((container) => this.#completed(pod, container)) };
  }

  #completed({ metadata }: SeenPod, container: FailingContainer): FailingContainer {
    const key = `${metadata.uid} ${container.name} ${container.image}`;
    if (container.failure.code !== 'unknown') {
      this.#causes.set(key, container.failure);
      return container;
    }
    const known = container.reason === 'ImagePullBackOff' ? this.#causes.get(key) : undefined;
    return known === undefined ? container : { ...container, failure: known };
  }
}
