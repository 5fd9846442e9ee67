/** Who asks: what differs between pods that ask the same. It is in the answer and the log line, and in no decision. */
import { placeholder } from '../admission/project-json.ts';
import type { Review } from '../admission/review.ts';
import { slots, type Slot } from '../admission/review-shape.ts';
import type { Owner } from '../pod/pod.ts';

export interface Names {
  readonly uid: string;
  /** Its name, or what its name will begin with and a star; empty when it has neither. */
  readonly pod: string;
  /** Kind and name of what made the pod; null for a bare one. */
  readonly owner: string | null;
}

/** Names as a review has them; `placeholder` where one was told aside. */
export interface WrittenNames {
  readonly uid: string;
  readonly name: string;
  readonly podName: string;
  readonly generateName: string;
  readonly owner: Owner | null;
}

/** What was told aside. */
export type Told = (slot: Slot) => string | undefined;

export const nothingTold: Told = () => undefined;

const longestName = 253;

/** Admission runs before validation, so a name may have megabytes: a log line keeps to what is valid. */
export function shortName(text: string): string {
  return text.slice(0, longestName);
}

export function writtenNames({ uid, name, pod }: Review): WrittenNames {
  return { uid, name, podName: pod.name, generateName: pod.generateName, owner: pod.owner };
}

export function namesOf({ uid, name, podName, generateName, owner }: WrittenNames, told: Told): Names {
  const actual = (written: string, slot: Slot): string => (written === placeholder ? (told(slot) ?? written) : written);
  const prefix = actual(generateName, slots.generateName);
  return {
    uid: actual(uid, slots.uid),
    pod: shortName(actual(podName, slots.podName) || actual(name, slots.name)) || (prefix === '' ? '' : `${shortName(prefix)}*`),
    owner: owner === null ? null : shortName(`${owner.kind}/${actual(owner.name, slots.ownerName)}`),
  };
}
