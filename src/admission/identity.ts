/** Distinguishes pods with the same decision: used in the response and the log line, never in a decision. */
import type { Review } from './review.ts';
import type { Owner } from '../pod/pod.ts';

export interface Identity {
  readonly uid: string;
  readonly name: string;
  readonly podName: string;
  readonly generateName: string;
  readonly owner: Owner | null;
}

export function identityOf({ uid, name, pod }: Review): Identity {
  return { uid, name, podName: pod.name, generateName: pod.generateName, owner: pod.owner };
}
