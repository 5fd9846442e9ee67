/** The three objects of a rotation as they are now, never as they were before the last write. */
import type { KubernetesObject, V1MutatingWebhookConfiguration, V1Secret } from '@kubernetes/client-node';

import { isOlder } from '../../cluster/object-store.ts';
import type { ResourceWatch } from '../../cluster/watch.ts';
import { caSecretName, type CertificateNames } from './certificate-objects.ts';
import type { SeenObjects } from './certificate-view.ts';
import type { Written } from './certificate-writer.ts';
import type { ReconcilerContext } from '../reconciler.ts';
import { observedWatch } from '../observed-watch.ts';

/** Milliseconds after which what was written is looked at although no watch has shown it. */
const echoTime = 10_000;
const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';

export class CertificateWatches {
  readonly #serving: ResourceWatch<V1Secret>;
  readonly #ca: ResourceWatch<V1Secret>;
  readonly #configuration: ResourceWatch<V1MutatingWebhookConfiguration>;
  #written: (Written & { readonly until: number }) | null = null;

  constructor(context: ReconcilerContext, names: CertificateNames, changed: () => void) {
    const watch = <T extends KubernetesObject>(name: string, path: string, object: string): ResourceWatch<T> =>
      observedWatch<T>(context, name, { path, fieldSelector: `metadata.name=${object}`, onEvent: changed });
    const secrets = `/api/v1/namespaces/${encodeURIComponent(names.namespace)}/secrets`;
    this.#serving = watch('certificate', secrets, names.tlsSecret);
    this.#ca = watch('ca', secrets, caSecretName(names));
    this.#configuration = watch('webhook-configuration', configurations, names.webhookConfiguration);
  }

  /** Null while there is not enough to go by; look again at the next change, or after some seconds. */
  seen(): SeenObjects | null {
    if (![this.#serving, this.#ca, this.#configuration].every(({ isSynced }) => isSynced)) return null;
    const seen = {
      serving: this.#serving.list()[0] ?? null,
      ca: this.#ca.list()[0] ?? null,
      configuration: this.#configuration.list()[0] ?? null,
    };
    if (this.#written === null) return seen;
    const { what, version, until } = this.#written;
    const present = seen[what]?.metadata?.resourceVersion;
    if ((present === undefined || isOlder(present, version)) && performance.now() < until) return null;
    this.#written = null;
    return seen;
  }

  wrote(written: Written): void {
    this.#written = { ...written, until: performance.now() + echoTime };
  }

  async close(): Promise<void> {
    await Promise.all([this.#serving.close(), this.#ca.close(), this.#configuration.close()]);
  }
}
