/**
 * A policy after parsing, with its defaults filled in. The core and `src/config` both build on these types: the schema in
 * src/config/schema.ts checks that it produces them.
 */
import type { ImageManagerPolicy } from './image-managers.ts';
import type { OnPullPolicyNever } from './never-pulled.ts';
import type { Outcome } from './outcome.ts';
import type { RewriteTarget } from './transform/transforms.ts';

export interface RewritePolicy {
  readonly apiVersion: 'transship.dev/v1';
  readonly kind: 'RewritePolicy';
  readonly registries: Readonly<Record<string, RegistryPolicy>>;
  readonly exclude: { readonly images: readonly PatternSource[] };
  readonly rules: readonly RulePolicy[];
  /** Placeholders for an image until an injector replaces them. */
  readonly placeholders: readonly string[];
  readonly imageManagers: readonly ImageManagerPolicy[];
  readonly warnings: 'problems' | 'rewrites';
  readonly tests: readonly Expectation[];
}

export interface RegistryPolicy {
  /** Host with its port, optionally followed by a path. Absent where only `hostFrom` gives one. */
  readonly host?: string | undefined;
  readonly hostFrom?: HostFrom | undefined;
  /** Whether the controller asks the registry while nodes do not reach it, before new pods try it again. */
  readonly probe?: boolean | undefined;
  readonly pullSecrets: readonly string[];
  readonly credentials?: CredentialsPolicy | undefined;
  /** Namespaces that the controller copies the pull secrets to: names with `*`. */
  readonly namespaces?: readonly string[] | undefined;
  /** Further namespaces, by label. Default, without this and `namespaces`: every namespace that is opted in. */
  readonly namespaceSelector?: LabelSelector | undefined;
  /** Labels and annotations of the copies, in addition to those of the controller. */
  readonly copyLabels?: Readonly<Record<string, string>> | undefined;
  readonly copyAnnotations?: Readonly<Record<string, string>> | undefined;
  /** Whether the controller asks the registry for the images of pods. */
  readonly verify: boolean;
}

/** https://kubernetes.io/docs/reference/kubernetes-api/common-definitions/label-selector/ */
export interface LabelSelector {
  readonly matchLabels?: Readonly<Record<string, string>> | undefined;
  readonly matchExpressions?: readonly LabelRequirement[] | undefined;
}

export interface LabelRequirement {
  readonly key: string;
  readonly operator: 'In' | 'NotIn' | 'Exists' | 'DoesNotExist';
  readonly values?: readonly string[] | undefined;
}

export type HostFrom =
  | {
      readonly service: {
        readonly namespace: string;
        readonly name: string;
        readonly port: string | number;
        readonly via: 'localhost' | 'nodeIP';
      };
    }
  | { readonly localRegistryHosting: true };

export type CredentialsPolicy =
  | { readonly secret: string }
  | { readonly provider: 'ecr'; readonly region: string; readonly registryIds?: readonly string[] | undefined }
  | { readonly provider: 'gar' }
  | { readonly provider: 'acr'; readonly tenantId?: string | undefined };

/** An entry of `images` or `exclude`: a canonical name with `*` inside its components, or an RE2 expression. */
export type PatternSource = string | { readonly regex: string };

export interface RulePolicy {
  readonly name: string;
  readonly match: {
    readonly images: readonly PatternSource[];
    readonly exclude: readonly PatternSource[];
    /** Names with `*`; absent for every namespace. */
    readonly namespaces?: readonly string[] | undefined;
    readonly podLabels?: Readonly<Record<string, string>> | undefined;
  };
  /** Absent for a rule that only attaches pull secrets. */
  readonly rewrite?: RewriteTarget | undefined;
  /** Further targets, in order, for a node that cannot pull the image from the first. */
  readonly alternatives: readonly AlternativeTarget[];
  readonly pullSecrets: readonly string[];
  readonly pullPolicy: PullPolicy;
  /** For images with `imagePullPolicy: Never`. */
  readonly onPullPolicyNever: OnPullPolicyNever;
  /** For debug containers and image updates, where pull secrets cannot be added to the pod any more. */
  readonly onMissingSecret: 'warn' | 'keep';
  /** For images without a digest and with `imagePullPolicy: Always`, which may have other content in the registry of an alternative. */
  readonly onMutableTag: 'keep' | 'fallBack';
}

/** `original` is the image as written: the one way back to the source, so it has to be named. */
export type AlternativeTarget = RewriteTarget | { readonly as: 'original' };

export type PullPolicy = 'keep' | 'derive' | 'IfNotPresent' | 'Always';

/** The author's expectation for one image. Absent members are not compared. */
export interface Expectation {
  readonly image: string;
  readonly becomes?: string | undefined;
  /** Null for no rule. */
  readonly rule?: string | null | undefined;
  readonly outcome?: Outcome | undefined;
  readonly pullSecrets?: readonly string[] | undefined;
  readonly namespace: string;
  readonly podLabels: Readonly<Record<string, string>>;
}
