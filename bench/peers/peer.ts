/** Another webhook that rewrites image names, as its own documentation runs it. */
import type { Certificate } from '../certificate.ts';

export interface Place {
  /** For its files. */
  readonly folder: string;
  /** Free ports: of the webhook, of its probes and of its metrics. */
  readonly ports: readonly [webhook: number, probes: number, metrics: number];
  /** Files `tls.crt` and `tls.key` are in one folder, as in a Secret. */
  readonly certificate: Certificate;
  /** Of an administrator of a running API server. */
  readonly kubeconfig: string;
}

export interface Launch {
  readonly args: readonly string[];
  readonly env?: Readonly<Record<string, string>>;
  /** By name below the folder. */
  readonly files?: Readonly<Record<string, string>>;
  /** Where it listens, if it cannot be told to listen at the first of `ports`. */
  readonly port?: number;
}

export interface Peer {
  /** Also of the executable in the folder of `--peers`. */
  readonly name: string;
  readonly repository: string;
  /** Of its webhook. */
  readonly path: string;
  /** `admissionReviewVersions` of its own webhook configuration. */
  readonly versions: readonly string[];
  readonly launch: (place: Place) => Launch;
  /** Objects that hold its rules. */
  readonly objects?: readonly { readonly path: string; readonly body: unknown }[];
  /** What differs from the task of transship, each a short phrase. */
  readonly differences: readonly string[];
}

/** What every webhook is to do: images of quay.io come from here, with their whole name. */
export const source = 'quay.io';
export const mirror = 'proxy.example.com';
