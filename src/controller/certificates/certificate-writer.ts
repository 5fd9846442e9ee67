/** Takes one step of a rotation: makes the keys it needs and writes one object, over nothing but what was seen. */
import type { KubernetesObject } from '@kubernetes/client-node';

import type { Cluster } from '../../cluster/connection.ts';
import { issueServing, createCa } from '../../tls/certificate.ts';
import { bundleOf, type RotationStep } from '../../tls/rotation.ts';
import {
  caContent,
  caSecret,
  caSecretName,
  configurationWithBundle,
  servingContent,
  servingSecret,
  serviceNames,
  type CaContent,
  type CertificateNames,
  type ServingContent,
} from './certificate-objects.ts';
import type { SeenObjects } from './certificate-view.ts';
import { applyObject, createObject } from '../../cluster/object-writes.ts';

export type WritingStep = Exclude<RotationStep, { readonly do: 'wait' }>;

export interface Written {
  readonly what: keyof SeenObjects;
  /** Its resourceVersion now. */
  readonly version: string;
}

/** What a step writes. */
export const targetOf: Readonly<Record<WritingStep['do'], keyof SeenObjects>> = {
  'create-ca': 'ca',
  adopt: 'ca',
  retire: 'ca',
  issue: 'serving',
  store: 'serving',
  publish: 'configuration',
};

export class CertificateWriter {
  readonly #cluster: Cluster;
  readonly #names: CertificateNames;
  readonly #signal: AbortSignal;

  constructor(cluster: Cluster, names: CertificateNames, signal: AbortSignal) {
    this.#cluster = cluster;
    this.#names = names;
    this.#signal = signal;
  }

  /** @throws ApiError, 409 when the object has changed since it was seen */
  async write(step: WritingStep, seen: SeenObjects): Promise<Written> {
    const what = targetOf[step.do];
    const object = await this.#object(step, seen);
    const version =
      seen[what] === null
        ? await createObject(this.#cluster, object, this.#signal)
        : await applyObject(this.#cluster, object, this.#signal);
    return { what, version };
  }

  async #object(step: WritingStep, seen: SeenObjects): Promise<KubernetesObject> {
    switch (step.do) {
      case 'create-ca': {
        const made = await createCa(caSecretName(this.#names), step.period);
        return this.#ca({ ...made, previous: bundleOf(step.previous) }, seen);
      }
      case 'adopt':
      case 'retire':
        return this.#ca({ ...caContent(seen.ca), previous: bundleOf(step.previous) }, seen);
      case 'issue': {
        const issued = await issueServing(caContent(seen.ca), serviceNames(this.#names), step.period);
        return this.#serving({ ...issued, bundle: step.bundle }, seen);
      }
      case 'store':
        return this.#serving({ ...servingContent(seen.serving), bundle: step.bundle }, seen);
      case 'publish':
        return configurationWithBundle(this.#names.webhookConfiguration, step.bundle, seen.configuration);
    }
  }

  #ca(content: CaContent, { ca: seen }: SeenObjects): KubernetesObject {
    return caSecret(this.#names, content, seen);
  }

  #serving(content: ServingContent, { serving: seen }: SeenObjects): KubernetesObject {
    return servingSecret(this.#names, content, seen);
  }
}
