/** The decision about one image, with its reason. */
import { reasons, type ReasonCode } from '../policy/reason.ts';
import type { PullPolicy } from '../policy/types.ts';
import type { NearMiss } from './near-miss.ts';
import type { Outcome } from '../policy/outcome.ts';

export interface ImageDecision {
  /** The image as written. */
  readonly image: string;
  readonly outcome: Outcome;
  /** The rule that fired, null for none. */
  readonly rule: string | null;
  /** The new image, null when it stays as it is. */
  readonly result: string | null;
  /** Secrets that the image brings into its pod, in order. */
  readonly pullSecrets: readonly string[];
  /**
   * The further targets of the rule, for a rewritten image and one that stays because the image as written is its first target for now. In
   * the order of the rule, going round from the present first target.
   */
  readonly alternatives: readonly AlternativeDecision[];
  /** What the rule does to the pull policy of a rewritten image. */
  readonly pullPolicy: PullPolicy;
  /** Whether to leave the image alone in a pod that lacks its pull secrets and cannot get them any more. */
  readonly needsSecrets: boolean;
  readonly code: ReasonCode;
  /** One plain sentence. */
  readonly reason: string;
  /** Rules before the deciding one, or all rules, that name the image and do not match because of another condition. */
  readonly nearMisses: readonly NearMiss[];
}

/** What one of the alternatives of a rule makes of an image. */
export interface AlternativeDecision {
  /** The name of its registry; `original`, or the transform where it names no registry. */
  readonly target: string;
  /** Null where there is none for this image. */
  readonly image: string | null;
  readonly pullSecrets: readonly string[];
  /** Why there is no image; null where there is one. */
  readonly problem: string | null;
}

/** The properties of the pod that rules may depend on, besides its images. */
export interface PodContext {
  readonly namespace: string;
  readonly podLabels: Readonly<Record<string, string>>;
}

export const noSecrets: readonly string[] = [];
export const noAlternatives: readonly AlternativeDecision[] = [];
const noNearMisses: readonly NearMiss[] = [];

type Details = Partial<Omit<ImageDecision, 'image' | 'outcome' | 'code' | 'reason'>>;

/** An image that is not changed and brings no secrets, but for the details. One object: a pod may have thousands of images. */
export function imageDecision(image: string, code: ReasonCode, reason: string, details: Details = noDetails): ImageDecision {
  return {
    image,
    outcome: reasons[code].outcome,
    rule: details.rule ?? null,
    result: details.result ?? null,
    pullSecrets: details.pullSecrets ?? noSecrets,
    alternatives: details.alternatives ?? noAlternatives,
    pullPolicy: details.pullPolicy ?? 'keep',
    needsSecrets: details.needsSecrets ?? false,
    code,
    reason,
    nearMisses: details.nearMisses ?? noNearMisses,
  };
}

const noDetails: Details = {};
