/** The three objects of a rotation as the watches see them, the state that follows, and how long it has lasted. */
import type { KubernetesObject, V1MutatingWebhookConfiguration, V1Secret } from '@kubernetes/client-node';

import type { Cluster } from '../../cluster/connection.ts';
import { listPages } from '../../cluster/list-pages.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import type { RotationState, TrustedCertificate } from '../../tls/rotation.ts';
import { caCertificateOf, caCertificatesIn, servingOf } from '../../tls/trust.ts';
import { hasReached, observedWatch } from '../observed-watch.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import {
  caContent,
  caSecretName,
  publishedBundles,
  servingContent,
  serviceNames,
  type CertificateNames,
  type ObservedObjects,
} from './certificate-objects.ts';

const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

export class CertificateWatches {
  readonly #serving: ResourceWatch<V1Secret>;
  readonly #ca: ResourceWatch<V1Secret>;
  readonly #configuration: ResourceWatch<V1MutatingWebhookConfiguration>;
  readonly #cluster: Cluster;
  readonly #configurationName: string;

  constructor(context: ReconcilerContext, names: CertificateNames, onEvent: () => void) {
    const watch = <T extends KubernetesObject>(name: string, path: string, object: string): ResourceWatch<T> =>
      observedWatch<T>(context, name, { path, fieldSelector: `metadata.name=${object}`, onEvent });
    const secrets = `/api/v1/namespaces/${encodeURIComponent(names.namespace)}/secrets`;
    this.#serving = watch('certificate', secrets, names.tlsSecret);
    this.#ca = watch('ca', secrets, caSecretName(names));
    this.#cluster = context.cluster;
    this.#configurationName = names.webhookConfiguration;
    this.#configuration = watch('webhook-configuration', configurations, names.webhookConfiguration);
  }

  /** Null until every watch has its first list. */
  observed(): ObservedObjects | null {
    if (![this.#serving, this.#ca, this.#configuration].every(({ isSynced }) => isSynced)) return null;
    return {
      serving: this.#serving.list()[0] ?? null,
      ca: this.#ca.list()[0] ?? null,
      configuration: this.#configuration.list()[0] ?? null,
    };
  }

  /** Whether the watch has delivered this version of the object, or a later one. */
  hasObserved(what: keyof ObservedObjects, version: string): boolean {
    return hasReached(this.observed()?.[what] ?? undefined, version);
  }

  /** Reads from the API server: while a release is uninstalled, the watch of a Secret may be ahead of the watch of the configuration. */
  async hasConfiguration(signal: AbortSignal): Promise<boolean> {
    const query = { fieldSelector: `metadata.name=${this.#configurationName}` };
    for await (const { items } of listPages(this.#cluster, { path: configurations, query, pageSize: 1, signal, onActivity: () => {} }))
      if (items.length > 0) return true;
    return false;
  }

  async close(): Promise<void> {
    await Promise.all([this.#serving.close(), this.#ca.close(), this.#configuration.close()]);
  }
}

export class RotationStates {
  readonly #names: CertificateNames;
  readonly #trusted: Stopwatch;
  readonly #served: Stopwatch;
  /**
   * CA certificate that signed the last served certificate. It stays trusted even if all three objects are replaced at once, since the pods
   * still serve that certificate.
   */
  #lastSigner: TrustedCertificate | null = null;

  /** @param clock monotonic, in milliseconds */
  constructor(names: CertificateNames, clock: () => number = () => performance.now()) {
    this.#names = names;
    this.#trusted = new Stopwatch(clock);
    this.#served = new Stopwatch(clock);
  }

  read(observed: ObservedObjects): RotationState {
    const stored = caContent(observed.ca);
    const content = servingContent(observed.serving);
    const published = observed.configuration === null ? [] : publishedBundles(observed.configuration);
    const ca = caCertificateOf(stored.cert, stored.key);
    // The certificate of a CA that lost its key stays trusted like any other.
    const previous = caCertificatesIn(ca === null ? stored.cert + stored.previous : stored.previous);
    const trusted = caCertificatesIn([content.bundle, ...published].join(''));
    const known = [...(ca === null ? [] : [ca]), ...previous, ...trusted];
    const serving = servingOf(content, serviceNames(this.#names), known);
    const adoptable = serving === null && this.#lastSigner !== null ? [...trusted, this.#lastSigner] : trusted;
    this.#lastSigner = known.find(({ id }) => id === serving?.signer) ?? this.#lastSigner;
    const isTrusted = ca !== null && published.every((bundle) => caCertificatesIn(bundle).some(({ id }) => id === ca.id));
    return {
      ca,
      previous,
      adoptable,
      serving,
      madeFor: { ca: stored.lifetime, serving: content.lifetime },
      stored: content.bundle,
      published,
      trustedFor: this.#trusted.elapsed(isTrusted ? ca.id : null),
      servedFor: this.#served.elapsed(serving === null ? null : content.cert),
    };
  }
}

/** Measures for how long the same thing has been observed without a break. */
class Stopwatch {
  readonly #clock: () => number;
  #subject: string | null = null;
  #since = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** @param subject null when it does not exist */
  elapsed(subject: string | null): number {
    if (subject !== this.#subject) {
      this.#subject = subject;
      this.#since = this.#clock();
    }
    return subject === null ? 0 : this.#clock() - this.#since;
  }
}
