/**
 * The objects that hold certificates (the Secret that the webhook mounts, the Secret with the CA's key, the webhook configuration), and
 * what a step writes to them.
 */
import type { KubernetesObject, V1MutatingWebhookConfiguration, V1Secret } from '@kubernetes/client-node';

import { preconditionsOf } from '../../cluster/object-writes.ts';
import { createCa, issueServing } from '../../tls/certificate.ts';
import { bundleOf, type RotationStep } from '../../tls/rotation.ts';
import type { CertificateOptions } from '../options.ts';

export interface CertificateNames extends Pick<CertificateOptions, 'tlsSecret' | 'service' | 'webhookConfiguration'> {
  readonly namespace: string;
}

/** Null for objects that do not exist. */
export interface ObservedObjects {
  readonly serving: V1Secret | null;
  readonly ca: V1Secret | null;
  readonly configuration: V1MutatingWebhookConfiguration | null;
}

export type WritingStep = Exclude<RotationStep, { readonly do: 'wait' }>;

/** The webhook's pods mount the first Secret, so the CA's key is in another one. */
export const caSecretName = ({ tlsSecret }: Pick<CertificateNames, 'tlsSecret'>): string => `${tlsSecret}-ca`;

/** All DNS names of a Service. https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
export const serviceNames = ({ service, namespace }: CertificateNames): string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
  `${service}.${namespace}`,
  service,
];

/** Configured lifetime in milliseconds. The validity alone does not show it if a clock was wrong. */
const lifetimeAnnotation = 'transship.dev/lifetime';

export interface CaContent {
  readonly cert: string;
  readonly key: string;
  /** PEM of the other trusted CA certificates. */
  readonly previous: string;
  /** Configured lifetime in milliseconds; null when unknown. */
  readonly lifetime: number | null;
}

export const caContent = (secret: V1Secret | null): CaContent => ({
  cert: textOf(secret, 'ca.crt'),
  key: textOf(secret, 'ca.key'),
  previous: textOf(secret, 'previous.crt'),
  lifetime: lifetimeOf(secret),
});

export interface ServingContent {
  readonly cert: string;
  readonly key: string;
  /** The trust bundle, for people and for a controller that has lost its CA. */
  readonly bundle: string;
  /** As for the CA. */
  readonly lifetime: number | null;
}

export const servingContent = (secret: V1Secret | null): ServingContent => ({
  cert: textOf(secret, 'tls.crt'),
  key: textOf(secret, 'tls.key'),
  bundle: textOf(secret, 'ca.crt'),
  lifetime: lifetimeOf(secret),
});

/** The caBundle of each webhook, empty where it has none. */
export const publishedBundles = (configuration: V1MutatingWebhookConfiguration): string[] =>
  (configuration.webhooks ?? []).map(({ clientConfig }) => decoded(clientConfig.caBundle));

/** What a step writes. */
export const objectOf: Readonly<Record<WritingStep['do'], keyof ObservedObjects>> = {
  'create-ca': 'ca',
  adopt: 'ca',
  retire: 'ca',
  issue: 'serving',
  store: 'serving',
  publish: 'configuration',
};

/** Identifies a step: a renewal replaces another certificate, so it is not a repetition. */
export function signatureOf(step: WritingStep, { ca, serving }: ObservedObjects): string {
  if (step.do === 'issue') return step.bundle + servingContent(serving).cert;
  if ('bundle' in step) return step.bundle;
  // A CA that is lost repeatedly is created repeatedly, whatever else is trusted by then.
  return step.do === 'create-ca' ? caContent(ca).cert : caContent(ca).cert + bundleOf(step.previous);
}

/** The object as the step makes it. Generates the keys that it needs. */
export async function renderStep(
  step: WritingStep,
  observed: ObservedObjects,
  names: CertificateNames & Pick<CertificateOptions, 'caLifetime' | 'certificateLifetime'>,
): Promise<KubernetesObject> {
  switch (step.do) {
    case 'create-ca': {
      const made = await createCa(caSecretName(names), step.period);
      return caSecret(names, { ...made, previous: bundleOf(step.previous), lifetime: names.caLifetime }, observed.ca);
    }
    case 'adopt':
    case 'retire':
      return caSecret(names, { ...caContent(observed.ca), previous: bundleOf(step.previous) }, observed.ca);
    case 'issue': {
      const issued = await issueServing(caContent(observed.ca), serviceNames(names), step.period);
      return servingSecret(names, { ...issued, bundle: step.bundle, lifetime: names.certificateLifetime }, observed.serving);
    }
    case 'store':
      return servingSecret(names, { ...servingContent(observed.serving), bundle: step.bundle }, observed.serving);
    case 'publish':
      return configurationWithBundle(names.webhookConfiguration, step.bundle, observed.configuration);
  }
}

/** @param seen the current Secret, null to create it */
function caSecret(names: CertificateNames, { cert, key, previous, lifetime }: CaContent, seen: V1Secret | null): V1Secret {
  // Every key each time: an apply does not remove fields that the earlier POST wrote.
  const data = { 'ca.crt': encoded(cert), 'ca.key': encoded(key), 'previous.crt': encoded(previous) };
  return { ...secretHead(names, caSecretName(names), { seen, lifetime }), data };
}

/**
 * No owner reference: the garbage collector would delete the certificate in use when its owner is deleted, replaced or restored. The chart
 * renders both Secrets, so they are deleted with the release.
 *
 * @param seen as for `caSecret`
 */
function servingSecret(names: CertificateNames, { cert, key, bundle, lifetime }: ServingContent, seen: V1Secret | null): V1Secret {
  const data = { 'tls.crt': encoded(cert), 'tls.key': encoded(key), 'ca.crt': encoded(bundle) };
  return { ...secretHead(names, names.tlsSecret, { seen, lifetime }), data };
}

/**
 * Only the caBundle of each webhook: everything else belongs to the chart.
 *
 * @param seen the current configuration
 */
function configurationWithBundle(
  name: string,
  bundle: string,
  seen: V1MutatingWebhookConfiguration | null,
): KubernetesObject & { readonly webhooks: readonly object[] } {
  return {
    apiVersion: 'admissionregistration.k8s.io/v1',
    kind: 'MutatingWebhookConfiguration',
    metadata: { name, ...preconditionsOf(seen) },
    webhooks: (seen?.webhooks ?? []).map((entry) => ({ name: entry.name, clientConfig: { caBundle: encoded(bundle) } })),
  };
}

/**
 * Neither labels nor a type: these belong to the chart, and where two field managers disagree an upgrade fails
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts). A Secret without a type is Opaque, as in the chart.
 */
function secretHead(
  { namespace }: CertificateNames,
  name: string,
  { seen, lifetime }: { readonly seen: V1Secret | null; readonly lifetime: number | null },
) {
  const annotations = lifetime === null ? {} : { annotations: { [lifetimeAnnotation]: `${lifetime / 1000}s` } };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, ...preconditionsOf(seen), ...annotations } };
}

/** Labels and annotations of objects of a Helm release. https://helm.sh/docs/howto/charts_tips_and_tricks/ */
const releaseLabel = 'app.kubernetes.io/managed-by';
const releaseAnnotations = ['meta.helm.sh/release-name', 'meta.helm.sh/release-namespace'] as const;

/**
 * A recreated Secret belongs to the release of the configuration, as the previous one did: Helm adopts no object without this metadata. It
 * needs to when the TLS mode changes, Helm deletes the Secret, the controller recreates it before it ends, and the mode is changed back
 * later. The values never change, so there is no conflict between field managers.
 */
export function ofRelease(object: KubernetesObject, configuration: V1MutatingWebhookConfiguration | null): KubernetesObject {
  const { labels = {}, annotations = {} } = configuration?.metadata ?? {};
  const ofConfiguration = {
    labels: pick(labels, [releaseLabel]),
    annotations: { ...object.metadata?.annotations, ...pick(annotations, releaseAnnotations) },
  };
  return { ...object, metadata: Object.assign({}, object.metadata, ofConfiguration) };
}

const pick = (map: Readonly<Record<string, string>>, keys: readonly string[]): Record<string, string> =>
  Object.fromEntries(Object.entries(map).filter(([key]) => keys.includes(key)));

function lifetimeOf(secret: V1Secret | null): number | null {
  const [, seconds] = /^(\d{1,12})s$/.exec(secret?.metadata?.annotations?.[lifetimeAnnotation] ?? '') ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

const textOf = (secret: V1Secret | null, key: string): string => decoded(secret?.data?.[key]);
const decoded = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();
const encoded = (text: string): string => Buffer.from(text).toString('base64');
