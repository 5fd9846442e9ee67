/** What `scan` says. Its keys are documented and stable; lists are sorted, so that two reports can be compared. */
import type { Outcome } from '../../policy/outcome.ts';
import type { Unseen } from '../view.ts';

export interface ScannedImage {
  /** As the pods have it now. */
  readonly image: string;
  /** Host, as a decision compares it; empty for an image that is no reference. */
  readonly registry: string;
  readonly pods: number;
  readonly namespaces: readonly string[];
  /** Pulled by digest: a tag alone may become another image. */
  readonly hasDigest: boolean;
  /** From Docker Hub by pods without any pull secret: its limit for anonymous pulls counts. */
  readonly isAnonymousHub: boolean;
  /** What happened to its repository; null for nothing that is known. */
  readonly moved: { readonly sentence: string; readonly source: string } | null;
}

export interface ScannedNamespace {
  readonly name: string;
  /** Value of the opt-in label; null without it. */
  readonly label: string | null;
  readonly pods: number;
}

export interface CustomResourceImage {
  readonly apiVersion: string;
  readonly kind: string;
  /** Null for a resource of the cluster. */
  readonly namespace: string | null;
  readonly name: string;
  /** Path of the field: `spec.containers[0].image`. */
  readonly field: string;
  readonly image: string;
}

/** With a policy: images of a namespace that it decides alike. */
export interface PlannedImage {
  readonly namespace: string;
  /** As the pods were written. */
  readonly image: string;
  readonly outcome: Outcome;
  readonly rule: string | null;
  readonly result: string | null;
  readonly reason: string;
  readonly pods: number;
  /** Pods that have another image now, until they are restarted. */
  readonly waiting: number;
}

export interface Plan {
  readonly images: readonly PlannedImage[];
  /** Sources that would get one name. */
  readonly collisions: readonly { readonly target: string; readonly sources: readonly string[] }[];
  /** Pull secrets that namespaces of rewritten pods do not have, and that the controller does not copy. */
  readonly missingSecrets: readonly { readonly namespace: string; readonly secrets: readonly string[] }[];
  /** Images that a registry with `verify` lacks, as the controller of the cluster found, and the namespaces with pods that need them. */
  readonly missingImages: readonly {
    readonly image: string;
    readonly registry: string;
    /** As a pod was written: where to copy it from. */
    readonly source: string;
    /** ISO 8601. */
    readonly since: string;
    readonly namespaces: readonly string[];
  }[];
  /** Pull secrets that are there, of which none has an entry for the image; one image of each repository. */
  readonly unfitSecrets: readonly { readonly namespace: string; readonly secrets: readonly string[]; readonly image: string }[];
}

/** Pods that the controller moved to an alternative of their rule, which nodes could pull where they could not pull the first image. */
export interface Fallback {
  readonly namespace: string;
  /** The image that the pods had before their first step. */
  readonly from: string;
  /** The image that they have now. */
  readonly to: string;
  /** Why the one before could not be pulled: a code of `transship why`; null where the record does not say it. */
  readonly reason: string | null;
  readonly pods: number;
  /** Time of the first step, and of the last one, RFC 3339. */
  readonly since: string;
  readonly latest: string;
}

export interface ScanReport {
  readonly pods: number;
  readonly images: readonly ScannedImage[];
  readonly namespaces: readonly ScannedNamespace[];
  /** Pods whose operator compares their images, by the name of the operator. */
  readonly imageManagers: readonly { readonly name: string; readonly pods: number }[];
  readonly fallbacks: readonly Fallback[];
  /** Images in arguments and environment variables, which no admission sees. */
  readonly unexamined: readonly { readonly object: string; readonly image: string }[];
  /** Images that custom resources name, for which an operator may make pods: the first object of a namespace that names an image. */
  readonly customResources: readonly CustomResourceImage[];
  /** Null without a policy. */
  readonly plan: Plan | null;
  readonly notSeen: readonly Unseen[];
}
