/** Options of the controller: where it runs, what it does, and the names of its objects. */

export const features = ['secrets', 'hosts', 'certificates', 'fallback', 'policies', 'verify'] as const;
export type Feature = (typeof features)[number];

export const optInModes = ['OptIn', 'OptOut'] as const;
/** `OptIn`: namespaces whose label `transship.dev/rewrite` has one of `optInValues`. `OptOut`: all but those with one of `optOutValues`. */
export type OptInMode = (typeof optInModes)[number];

export interface ControllerOptions {
  /** File of the policy. */
  readonly policy: string;
  /** Namespace of the release: holds the source Secrets and every object that the controller reads or writes for itself. */
  readonly namespace: string;
  readonly optIn: OptInMode;
  readonly optInValues: readonly string[];
  readonly optOutValues: readonly string[];
  /** Namespaces whose pods are never rewritten, in addition to those of Kubernetes and of the release. */
  readonly excludedNamespaces: readonly string[];
  /** Features that run. */
  readonly features: readonly Feature[];
  /** Features that are disabled on purpose: no warning when the policy needs them. */
  readonly disabledFeatures: readonly Feature[];
  /**
   * The ConfigMap that the policy file is mounted from, and the webhook's Deployment: events about the policy are recorded on them. Null
   * when absent.
   */
  readonly policyConfigMap: string | null;
  readonly deployment: string | null;
  /** Milliseconds for which an unwanted copy is kept in any case; after that, until no pod references it. */
  readonly pullSecretRetention: number;
  /** Whether the feature `fallback` only tells what it would do. */
  readonly fallbackDryRun: boolean;
  /** Of the feature `fallback`, for registries that many nodes do not reach. */
  readonly breaker: BreakerOptions;
  readonly leaseName: string;
  /** Seconds. */
  readonly leaseSeconds: number;
  readonly hostsConfigMap: string;
  /** ConfigMap that the feature `verify` writes what it found to. */
  readonly verifyConfigMap: string;
  readonly certificates: CertificateOptions;
  readonly admissionPolicy: AdmissionPolicyTarget;
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  /** Null for the pod's service account, or for the default kubeconfig outside a cluster. */
  readonly kubeconfig: string | null;
}

/** Times are in milliseconds. */
export interface BreakerOptions {
  readonly isEnabled: boolean;
  /** As many pods that fail within `window` open it. */
  readonly pods: number;
  readonly window: number;
  /** Until new pods try the registry again; doubled each time that they fail. */
  readonly interval: number;
}

/** Whether the controller writes which registries are unavailable. */
export const hasBreakers = ({ features: running, fallbackDryRun, breaker }: ControllerOptions): boolean =>
  running.includes('fallback') && breaker.isEnabled && !fallbackDryRun;

/** Of the feature `policies`: what the policy file and the other options do not say of the MutatingAdmissionPolicy. */
export interface AdmissionPolicyTarget {
  /** Of the object. Its bindings are `NAME-namespaces` and `NAME-pods`. */
  readonly name: string;
  /** The one of `optInValues` whose pods are left alone. */
  readonly shadowValue: string;
  /** Beside those that follow from the policy and the options. */
  readonly matchConditions: readonly { readonly name: string; readonly expression: string }[];
  readonly failurePolicy: 'Ignore' | 'Fail';
  /** Whether what CEL cannot express is left to the webhook; without it such a policy is refused. */
  readonly partial: boolean;
}

/** All times are in milliseconds. */
export interface CertificateOptions {
  /** Name of the Secret that `serve` mounts. */
  readonly tlsSecret: string;
  /** Name of the webhook's Service. */
  readonly service: string;
  readonly webhookConfiguration: string;
  readonly certificateLifetime: number;
  readonly caLifetime: number;
  /** Time until every API server trusts a new caBundle. */
  readonly bundleDelay: number;
  /** Time until every webhook pod serves a new certificate. */
  readonly reloadDelay: number;
}
