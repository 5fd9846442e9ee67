/** A cluster in which certificates are facts: applies the steps of a rotation and remembers who may still see what. */
import {
  nextStep,
  type Period,
  type RotationState,
  type RotationStep,
  type RotationTimes,
  type TrustedCertificate,
} from '../../src/tls/rotation.ts';

/** Ticks of a second, in milliseconds. */
export const times: RotationTimes = { certificateLifetime: 60_000, caLifetime: 150_000, bundleDelay: 3_000, reloadDelay: 5_000 };

interface Pair extends Period {
  readonly signer: string;
  readonly serial: number;
}

interface Since<T> {
  readonly value: T;
  readonly since: number;
}

export class Model {
  /** Time as it passes, which nobody can set. */
  now = 10_000_000;
  /** How far the clocks are ahead of it: the controller's, and that of all who verify. */
  ahead = { controller: 0, verifiers: 0 };
  ca: TrustedCertificate | null = null;
  previous: readonly TrustedCertificate[] = [];
  pair: Pair | null = null;
  stored = '';
  madeFor: { ca: number | null; serving: number | null } = { ca: null, serving: null };
  published: readonly string[] = ['', ''];
  readonly steps: string[] = [];
  /** All that was in force, with its beginning: what is late still sees the ones before. */
  readonly #bundles: Since<string>[] = [];
  readonly #pairs: Since<Pair>[] = [];
  #made = 0;

  /** One life of a controller. It knows nothing of the lives before. @param told the times that it goes by */
  begin(told: RotationTimes = times): { readonly step: () => RotationStep } {
    this.#told = told;
    const trusted = stopwatch();
    const served = stopwatch();
    return {
      step: () => {
        const { ca, now, pair } = this;
        const isTrusted = ca !== null && this.published.every((bundle) => bundle.includes(ca.pem));
        const known = [...(ca ? [ca] : []), ...this.previous, ...this.adoptable()];
        const state: RotationState = {
          ca,
          previous: this.previous,
          adoptable: this.adoptable(),
          serving: pair && {
            notBefore: pair.notBefore,
            notAfter: pair.notAfter,
            signer: known.find(({ id }) => id === pair.signer)?.id ?? null,
            fits: true,
          },
          madeFor: { ...this.madeFor },
          stored: this.stored,
          published: this.published,
          trustedFor: trusted(isTrusted ? ca.id : null, now),
          servedFor: served(pair === null ? null : String(pair.serial), now),
        };
        return nextStep(state, told, now + this.ahead.controller);
      },
    };
  }

  #told = times;
  readonly #all = new Map<string, TrustedCertificate>();

  adoptable(): TrustedCertificate[] {
    return [...this.#all.values()].filter(({ pem }) => [this.stored, ...this.published].some((bundle) => bundle.includes(pem)));
  }

  createCa(period: Period = { notBefore: this.now, notAfter: this.now + times.caLifetime }): TrustedCertificate {
    const id = `ca-${++this.#made}`;
    const made = { id, pem: `<${id}>`, ...period };
    this.#all.set(id, made);
    return made;
  }

  serve(pair: Omit<Pair, 'serial'>): void {
    this.pair = { ...pair, serial: ++this.#made };
    this.#pairs.push({ value: this.pair, since: this.now });
  }

  publish(bundle: string): void {
    this.published = this.published.map(() => bundle);
    this.#bundles.push({ value: bundle, since: this.now });
  }

  apply(step: RotationStep): void {
    if (step.do !== 'wait') this.steps.push(step.do);
    switch (step.do) {
      case 'create-ca':
        this.ca = this.createCa(step.period);
        this.madeFor.ca = this.#told.caLifetime;
        this.previous = step.previous;
        return;
      case 'adopt':
      case 'retire':
        this.previous = step.previous;
        return;
      case 'issue':
        if (this.ca === null || step.period.notAfter > this.ca.notAfter) throw new Error('a pair without, or longer than, its CA');
        this.stored = step.bundle;
        this.madeFor.serving = this.#told.certificateLifetime;
        return this.serve({ signer: this.ca.id, ...step.period });
      case 'store':
        this.stored = step.bundle;
        return;
      case 'publish':
        return this.publish(step.bundle);
      case 'wait':
    }
  }

  /** Pairs that somebody may serve to somebody who does not trust them, or not any more. */
  distrusted(): string[] {
    const bundles = inForce(this.#bundles, this.now - times.bundleDelay);
    return this.#served().flatMap(({ signer }) =>
      bundles.filter((bundle) => !bundle.includes(`<${signer}>`)).map((bundle) => `${signer} against ${bundle}`),
    );
  }

  /** What is served and, by the clock of those who verify, expired or not valid yet. */
  invalid(): string[] {
    const clock = this.now + this.ahead.verifiers;
    const used = this.#served().flatMap((pair) => [
      { ...pair, name: `pair of ${pair.signer}` },
      { notBefore: 0, notAfter: Infinity, ...this.#all.get(pair.signer), name: pair.signer },
    ]);
    return used.flatMap(({ name, notBefore, notAfter }) =>
      clock < notBefore ? [`${name} is not valid yet`] : notAfter <= clock ? [`${name} expired`] : [],
    );
  }

  failures(): string[] {
    return [...this.invalid(), ...this.distrusted()];
  }

  #served(): Pair[] {
    return inForce(this.#pairs, this.now - times.reloadDelay);
  }

  /** What was in force before the beginning does not count. */
  forget(): void {
    for (const list of [this.#bundles, this.#pairs]) list.splice(0, list.length - 1);
  }
}

/** Those that were replaced later than the time, and the last one. */
const inForce = <T>(list: readonly Since<T>[], time: number): T[] =>
  list.filter((_, index) => (list[index + 1]?.since ?? Infinity) > time).map(({ value }) => value);

function stopwatch(): (subject: string | null, now: number) => number {
  let [last, since]: [string | null, number] = [null, 0];
  return (subject, now) => {
    if (subject !== last) [last, since] = [subject, now];
    return subject === null ? 0 : now - since;
  };
}
