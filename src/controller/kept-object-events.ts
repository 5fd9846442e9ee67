/** Events about an object that the controller keeps. What one tells may be why the object is made: then it waits for the uid, by which `kubectl describe` selects. */
import type { KubernetesObject } from '@kubernetes/client-node';

import type { Cluster } from '../cluster/connection.ts';
import type { EventDetails } from '../cluster/events.ts';
import { recordWithUid, type ObjectName } from './record-about.ts';

/** As a watch has it: undefined where there is none, null where that is not known. */
type Present = KubernetesObject | null | undefined;

export class KeptObjectEvents {
  readonly #cluster: Cluster;
  readonly #object: ObjectName;
  readonly #present: () => Present;
  #waiting: Omit<EventDetails, 'regarding'>[] = [];

  constructor(cluster: Cluster, object: ObjectName, present: () => Present) {
    this.#cluster = cluster;
    this.#object = object;
    this.#present = present;
  }

  /** Where there is no object, `settle` has to follow. */
  record(event: Omit<EventDetails, 'regarding'>): void {
    this.#waiting.push(event);
    if (this.#present() !== undefined) this.settle();
  }

  /** The object is there, or is not going to be: nothing waits any longer. */
  settle(): void {
    const uid = this.#present()?.metadata?.uid;
    for (const event of this.#waiting.splice(0)) void recordWithUid(this.#cluster, this.#object, uid, event);
  }

  /** Another process leads by now. */
  forget(): void {
    this.#waiting = [];
  }
}
