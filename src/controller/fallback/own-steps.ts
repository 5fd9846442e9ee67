/**
 * The steps that this process took, beside the record on each pod: another webhook may remove the record, or undo the step, and the pod would
 * go round its list for ever.
 */
import { LRUCache } from 'lru-cache';

import type { FallbackRecord, FallbackStep } from '../../pod/fallback-record.ts';
import type { SeenPod } from './seen-pod.ts';

const maxPods = 10_000;

interface Taken {
  readonly steps: ReadonlyMap<string, FallbackStep>;
  /** How often a step was taken that had been taken before: something undoes them. */
  readonly repetitions: number;
}

export class OwnSteps {
  /** By uid. */
  readonly #pods = new LRUCache<string, Taken>({ max: maxPods });

  /** The pod with the steps that its record lacks. */
  complete(pod: SeenPod): SeenPod {
    const own = pod.failing.length === 0 ? undefined : this.#pods.get(pod.metadata.uid ?? '');
    if (own === undefined) return pod;
    const steps = new Map(pod.steps);
    for (const { name, image } of pod.failing) {
      const step = own.steps.get(name);
      if (step?.to === image && pod.steps.get(name)?.to !== image) steps.set(name, step);
    }
    return { ...pod, steps };
  }

  /**
   * @param record of the pod, with the new steps
   * @param moved names of the containers that they are of
   * @returns how often a step of the pod was taken again
   */
  took({ metadata }: SeenPod, record: FallbackRecord, moved: readonly string[]): number {
    const uid = metadata.uid ?? '';
    const own = this.#pods.get(uid);
    const steps = new Map(own?.steps);
    let isAgain = false;
    for (const name of moved) {
      const [before, step] = [steps.get(name), record.get(name)];
      if (step === undefined) continue;
      isAgain ||= [...(before?.earlier ?? []), ...(before === undefined ? [] : [before])].some(({ from }) => from === step.from);
      steps.set(name, step);
    }
    const repetitions = (own?.repetitions ?? 0) + (isAgain ? 1 : 0);
    this.#pods.set(uid, { steps, repetitions });
    return repetitions;
  }
}
