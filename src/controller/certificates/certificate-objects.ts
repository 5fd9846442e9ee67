/** The objects that certificates live in (the Secret that the webhook mounts, the one with the CA's key, the webhook configuration), and what a step writes to them. */
import type { KubernetesObject, V1MutatingWebhookConfiguration, V1Secret } from '@kubernetes/client-node';

import { createCa, issueServing } from '../../tls/certificate.ts';
import { bundleOf, type RotationStep } from '../../tls/rotation.ts';
import type { CertificateOptions } from '../options.ts';

export interface CertificateNames extends Pick<CertificateOptions, 'tlsSecret' | 'service' | 'webhookConfiguration'> {
  readonly namespace: string;
}

/** Null for what is not there. */
export interface ObservedObjects {
  readonly serving: V1Secret | null;
  readonly ca: V1Secret | null;
  readonly configuration: V1MutatingWebhookConfiguration | null;
}

export type WritingStep = Exclude<RotationStep, { readonly do: 'wait' }>;

/** The webhook's pods mount the first Secret, so the key that could sign anything is in another. */
export const caSecretName = ({ tlsSecret }: Pick<CertificateNames, 'tlsSecret'>): string => `${tlsSecret}-ca`;

/** All names under which a Service is called. https://kubernetes.io/docs/concepts/services-networking/dns-pod-service/ */
export const serviceNames = ({ service, namespace }: CertificateNames): string[] => [
  `${service}.${namespace}.svc`,
  `${service}.${namespace}.svc.cluster.local`,
  `${service}.${namespace}`,
  service,
];

/** Milliseconds for which what the Secret holds was made: how long it is valid does not tell, once a clock was wrong. */
const lifetimeAnnotation = 'transship.dev/lifetime';

export interface CaContent {
  readonly cert: string;
  readonly key: string;
  /** PEM of those that are trusted beside it. */
  readonly previous: string;
  /** As configured when it was made, in milliseconds; null when it is not known. */
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
  /** As of the CA. */
  readonly lifetime: number | null;
}

export const servingContent = (secret: V1Secret | null): ServingContent => ({
  cert: textOf(secret, 'tls.crt'),
  key: textOf(secret, 'tls.key'),
  bundle: textOf(secret, 'ca.crt'),
  lifetime: lifetimeOf(secret),
});

/** The bundle of each entry, empty where there is none. */
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

/** What makes two steps the same: a renewal replaces another certificate, so it repeats nothing. */
export function signatureOf(step: WritingStep, { ca, serving }: ObservedObjects): string {
  if (step.do === 'issue') return step.bundle + servingContent(serving).cert;
  if ('bundle' in step) return step.bundle;
  // A CA that is lost again and again is created again, whatever else is trusted by then.
  return step.do === 'create-ca' ? caContent(ca).cert : caContent(ca).cert + bundleOf(step.previous);
}

/** The object as the step makes it. Makes the keys that it needs. */
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

/** @param seen the Secret as it is, null to create it */
function caSecret(names: CertificateNames, { cert, key, previous, lifetime }: CaContent, seen: V1Secret | null): V1Secret {
  // Every key each time: an apply does not take away what the POST before has written.
  const data = { 'ca.crt': encoded(cert), 'ca.key': encoded(key), 'previous.crt': encoded(previous) };
  return { ...secretHead(names, caSecretName(names), { seen, lifetime }), data };
}

/**
 * Without an owner reference: the garbage collector would take the certificate in use away with an owner that is deleted, replaced or restored. The
 * chart renders both Secrets, so they go with the release.
 *
 * @param seen as of `caSecret`
 */
function servingSecret(names: CertificateNames, { cert, key, bundle, lifetime }: ServingContent, seen: V1Secret | null): V1Secret {
  const data = { 'tls.crt': encoded(cert), 'tls.key': encoded(key), 'ca.crt': encoded(bundle) };
  return { ...secretHead(names, names.tlsSecret, { seen, lifetime }), data };
}

/**
 * Nothing but the bundle of each entry: the rest is the chart's.
 *
 * @param seen the configuration as it is; with its version, or one that has just been deleted would be made anew
 */
function configurationWithBundle(
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

/**
 * Neither labels nor a type: these are the chart's, and where two field managers disagree an upgrade fails
 * (https://kubernetes.io/docs/reference/using-api/server-side-apply/#conflicts). Without a type a Secret is Opaque, as the chart has it.
 */
function secretHead(
  { namespace }: CertificateNames,
  name: string,
  { seen, lifetime }: { readonly seen: V1Secret | null; readonly lifetime: number | null },
) {
  const annotations = lifetime === null ? {} : { annotations: { [lifetimeAnnotation]: `${lifetime / 1000}s` } };
  return { apiVersion: 'v1', kind: 'Secret', metadata: { namespace, name, ...versioned(seen), ...annotations } };
}

/** What makes an object one of a Helm release. https://helm.sh/docs/howto/charts_tips_and_tricks/ */
const releaseLabel = 'app.kubernetes.io/managed-by';
const releaseAnnotations = ['meta.helm.sh/release-name', 'meta.helm.sh/release-namespace'] as const;

/**
 * A Secret that is created anew belongs to the release of the configuration, as the one before did: Helm takes over no object without this metadata, as
 * when it deletes the Secret with its mode of TLS, the controller is faster than its own end, and the mode comes back later. None of it ever changes, so
 * nobody disagrees about it.
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

const versioned = (seen: KubernetesObject | null): { resourceVersion?: string } =>
  seen?.metadata?.resourceVersion === undefined ? {} : { resourceVersion: seen.metadata.resourceVersion };

function lifetimeOf(secret: V1Secret | null): number | null {
  const [, seconds] = /^(\d{1,12})s$/.exec(secret?.metadata?.annotations?.[lifetimeAnnotation] ?? '') ?? [];
  return seconds === undefined ? null : Number(seconds) * 1000;
}

const textOf = (secret: V1Secret | null, key: string): string => decoded(secret?.data?.[key]);
const decoded = (text: string | undefined): string => Buffer.from(text ?? '', 'base64').toString();
const encoded = (text: string): string => Buffer.from(text).toString('base64');
