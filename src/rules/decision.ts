/** What is decided about one image, and why. */
import type { PullPolicy } from '../policy/types.ts';
import type { Outcome } from '../policy/outcome.ts';
import type { Reference } from '../image/reference.ts';

export interface ImageDecision {
  /** The image as written. */
  readonly image: string;
  /** Its parts, null when it does not parse. */
  readonly reference: Reference | null;
  readonly outcome: Outcome;
  /** The rule that fired, null for none. */
  readonly rule: string | null;
  /** The new image, null when it stays as it is. */
  readonly result: string | null;
  /** Secrets that the image brings into its pod, in order. */
  readonly pullSecrets: readonly string[];
  /** What the rule does to the pull policy of a rewritten image. */
  readonly pullPolicy: PullPolicy;
  /** One plain sentence. */
  readonly reason: string;
}

/** What rules may ask about the pod, beside its images. */
export interface PodContext {
  readonly namespace: string;
  readonly podLabels: Readonly<Record<string, string>>;
}

export const noSecrets: readonly string[] = [];

export function leftAlone(image: string, outcome: Outcome, reason: string): ImageDecision {
  return { image, reference: null, outcome, rule: null, result: null, pullSecrets: noSecrets, pullPolicy: 'keep', reason };
}
