/** Options of the controller: where it runs, what it does, and the names of the objects that it writes. */

export const features = ['secrets', 'hosts', 'certificates'] as const;
export type Feature = (typeof features)[number];

export const optInModes = ['OptIn', 'OptOut'] as const;
/** `OptIn`: namespaces whose label `transship.dev/rewrite` has one of `optInValues`. `OptOut`: all but those with one of `optOutValues`. */
export type OptInMode = (typeof optInModes)[number];

export interface ControllerOptions {
  /** File of the policy. */
  readonly policy: string;
  /** Namespace of the release: where the sources of pull secrets are, and everything else that it reads or writes for itself. */
  readonly namespace: string;
  readonly optIn: OptInMode;
  readonly optInValues: readonly string[];
  readonly optOutValues: readonly string[];
  /** Namespaces whose pods are never looked at, beside those of Kubernetes and the release. */
  readonly excludedNamespaces: readonly string[];
  /** Parts that run. */
  readonly features: readonly Feature[];
  /** Parts that are off on purpose: no warning when the policy asks for them. */
  readonly disabledFeatures: readonly Feature[];
  /** The ConfigMap that the policy file is mounted from, and the webhook's Deployment: for events about the policy. Null without. */
  readonly policyConfigMap: string | null;
  readonly deployment: string | null;
  /** Milliseconds for which a copy that is not wanted any more stays in any case; then it stays until no pod names it. */
  readonly pullSecretRetention: number;
  readonly leaseName: string;
  /** Seconds. */
  readonly leaseSeconds: number;
  readonly hostsConfigMap: string;
  readonly certificates: CertificateOptions;
  readonly host: string;
  /** 0 for any. */
  readonly port: number;
  /** Null for the pod's service account, or the default kubeconfig outside a cluster. */
  readonly kubeconfig: string | null;
}

/** All times are milliseconds. */
export interface CertificateOptions {
  /** Name of the Secret that `serve` mounts. */
  readonly tlsSecret: string;
  /** Name of the webhook's Service. */
  readonly service: string;
  readonly webhookConfiguration: string;
  readonly certificateLifetime: number;
  readonly caLifetime: number;
  /** Until every API server trusts a bundle that it was given. */
  readonly bundleDelay: number;
  /** Until every webhook pod serves a pair that was written. */
  readonly reloadDelay: number;
}
