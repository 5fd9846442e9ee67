/** The objects that certificates live in: the Secret that the webhook mounts, the one with the CA's key, and the webhook configuration. */
import type { KubernetesObject, V1MutatingWebhookConfiguration, V1Secret } from '@kubernetes/client-node';

import type { CertificateOptions } from '../options.ts';

export interface CertificateNames extends Pick<CertificateOptions, 'tlsSecret' | 'service' | 'webhookConfiguration'> {
  readonly namespace: string;
}

/** The webhook's pods mount the first Secret, so the key that could sign anything is in another. */
export const caSecretName = ({ tlsSecret }: Pick<CertificateNames, 'tlsSecret'>): string => `${tlsSecret}-ca`;

/** All names under which a Service is called. https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
export const serviceNames = ({ service, namespace }: CertificateNames): string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
  `${service}.${namespace}`,
  service,
];

export interface CaContent {
  readonly cert: string;
  readonly key: string;
  /** PEM of those that are trusted beside it. */
  readonly previous: string;
}

export const caContent = (secret: V1Secret | null): CaContent => ({
  cert: textOf(secret, 'ca.crt'),
  key: textOf(secret, 'ca.key'),
  previous: textOf(secret, 'previous.crt'),
});

export interface ServingContent {
  readonly cert: string;
  readonly key: string;
  /** The trust bundle, for people and for a controller that has lost its CA. */
  readonly bundle: string;
}

export const servingContent = (secret: V1Secret | null): ServingContent => ({
  cert: textOf(secret, 'tls.crt'),
  key: textOf(secret, 'tls.key'),
  bundle: textOf(secret, 'ca.crt'),
});

/** The bundle of each entry, empty where there is none. */
export const publishedBundles = (configuration: V1MutatingWebhookConfiguration): string[] =>
  (configuration.webhooks ?? []).map(({ clientConfig }) => decoded(clientConfig.caBundle));

/** @param seen the Secret as it is, null to make it; written over nothing else */
export function caSecret(names: CertificateNames, { cert, key, previous }: CaContent, seen: V1Secret | null): V1Secret {
  return {
    ...secretHead(names, caSecretName(names), seen),
    type: seen?.type ?? 'Opaque',
    // Every key each time: an apply does not take away what the POST before has written.
    data: { 'ca.crt': encoded(cert), 'ca.key': encoded(key), 'previous.crt': encoded(previous) },
  };
}

/**
 * Without an owner reference: the loss of the CA's Secret would take the certificate in use with it. The chart renders both, so both go with the release.
 *
 * @param seen as of `caSecret`
 */
export function servingSecret(names: CertificateNames, content: ServingContent, seen: V1Secret | null): V1Secret {
  return {
    ...secretHead(names, names.tlsSecret, seen),
    // The type of a Secret never changes: the chart's is Opaque, cert-manager's kubernetes.io/tls.
    type: seen?.type ?? 'Opaque',
    data: { 'tls.crt': encoded(content.cert), 'tls.key': encoded(content.key), 'ca.crt': encoded(content.bundle) },
  };
}

/**
 * Nothing but the bundle of each entry: the rest is the chart's.
 *
 * @param seen the configuration as it is; with its version, or one that has just been deleted would be made anew
 */
export function configurationWithBundle(
  name: string,
  bundle: string,
  seen: V1MutatingWebhookConfiguration | null,
): KubernetesObject & { readonly webhooks: readonly object[] } {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name, ...versioned(seen) },
    webhooks: (seen?.webhooks ?? []).map((entry) => ({ name: entry.name, clientConfig: { caBundle: encoded(bundle) } })),
  };
}

function secretHead({ namespace }: CertificateNames, name: string, seen: V1Secret | null) {
  // No labels: they are the chart's, and an upgrade that finds another value under another owner fails.
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, ...versioned(seen) } };
}

const versioned = (seen: KubernetesObject | null): { resourceVersion?: string } =>
  seen?.metadata?.resourceVersion === undefined ? {} : { resourceVersion: seen.metadata.resourceVersion };

const textOf = (secret: V1Secret | null, key: string): string => decoded(secret?.data?.[key]);
const decoded = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();
const encoded = (text: string): string => Buffer.from(text).toString('base64');
