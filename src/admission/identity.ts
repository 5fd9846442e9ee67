/** What tells a pod from others that are decided alike: it is in the answer and the log line, and in no decision. */
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
