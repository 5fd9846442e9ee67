/** What the watched objects mean for the rotation, and for how long they have meant it. */
import type { V1MutatingWebhookConfiguration, V1Secret } from '@kubernetes/client-node';

import type { RotationState } from '../../tls/rotation.ts';
import { caCertificatesIn, caCertificateOf, servingOf } from '../../tls/trust.ts';
import { caContent, publishedBundles, servingContent, serviceNames, type CertificateNames } from './certificate-objects.ts';

/** Null for what is not there. */
export interface SeenObjects {
  readonly serving: V1Secret | null;
  readonly ca: V1Secret | null;
  readonly configuration: V1MutatingWebhookConfiguration | null;
}

export class CertificateView {
  readonly #names: CertificateNames;
  readonly #trusted: Stopwatch;
  readonly #served: Stopwatch;

  /** @param clock milliseconds that only go forward */
  constructor(names: CertificateNames, clock: () => number = () => performance.now()) {
    this.#names = names;
    this.#trusted = new Stopwatch(clock);
    this.#served = new Stopwatch(clock);
  }

  look(seen: SeenObjects): RotationState {
    const { cert, key, previous } = caContent(seen.ca);
    const serving = servingContent(seen.serving);
    const published = seen.configuration === null ? [] : publishedBundles(seen.configuration);
    const ca = caCertificateOf(cert, key);
    // The certificate of a CA that lost its key is trusted as any other.
    const kept = caCertificatesIn(ca === null ? cert + previous : previous);
    const adoptable = caCertificatesIn([serving.bundle, ...published].join(''));
    const known = [...(ca === null ? [] : [ca]), ...kept, ...adoptable];
    const isTrusted = ca !== null && published.every((bundle) => caCertificatesIn(bundle).some(({ id }) => id === ca.id));
    return {
      ca,
      previous: kept,
      adoptable,
      serving: servingOf(serving, serviceNames(this.#names), known),
      stored: serving.bundle,
      published,
      trustedFor: this.#trusted.elapsed(isTrusted ? ca.id : null),
      servedFor: this.#served.elapsed(serving.cert === '' ? null : serving.cert),
    };
  }
}

/** For how long the same thing has been seen without a break. */
class Stopwatch {
  readonly #clock: () => number;
  #subject: string | null = null;
  #since = 0;

  constructor(clock: () => number) {
    this.#clock = clock;
  }

  /** @param subject null when it is not there */
  elapsed(subject: string | null): number {
    if (subject !== this.#subject) {
      this.#subject = subject;
      this.#since = this.#clock();
    }
    return subject === null ? 0 : this.#clock() - this.#since;
  }
}
