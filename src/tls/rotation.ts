/**
 * Renewal of the serving certificate and of its CA, as a state machine: the observed state goes in, the next step comes out.
 *
 * A new CA is trusted before it signs, and an old one until no webhook pod serves a certificate signed by it. So the served certificate is
 * always trusted, although API servers and webhooks see a change some time later. Every step can be repeated, and all state that must
 * survive a restart is in the cluster.
 *
 * The local clock may be wrong. It may trigger issuing, but never removes trust. A replacement covers at least the validity of what it replaces, unless a
 * shorter lifetime is configured.
 */

/** Milliseconds. */
export interface RotationTimes {
  readonly certificateLifetime: number;
  readonly caLifetime: number;
  /** Time until every API server trusts a new caBundle. */
  readonly bundleDelay: number;
  /** Time until every webhook pod serves a new certificate. */
  readonly reloadDelay: number;
}

/** Validity of a certificate, as Unix times in milliseconds. */
export interface Period {
  readonly notBefore: number;
  readonly notAfter: number;
}

export interface TrustedCertificate extends Period {
  /** Its fingerprint. */
  readonly id: string;
  readonly pem: string;
}

export interface ServingCertificate extends Period {
  /** `id` of the known CA certificate that signed it, null for an unknown one. */
  readonly signer: string | null;
  /** Whether it is valid for the names of the Service and has its key. */
  readonly fits: boolean;
}

/**
 * The observed state. Durations are measured by this process and start at 0 with it: waiting again is safe, comparing the clocks of two
 * machines is not.
 */
export interface RotationState {
  /** The signing CA; null when none has its key. */
  readonly ca: TrustedCertificate | null;
  /** CA certificates that no longer sign and are still trusted. */
  readonly previous: readonly TrustedCertificate[];
  /** Other CA certificates in the published or the stored bundle. */
  readonly adoptable: readonly TrustedCertificate[];
  readonly serving: ServingCertificate | null;
  /**
   * Lifetimes configured when the CA and the pair were issued; null when unknown. The validity alone does not show them if a clock was
   * wrong.
   */
  readonly madeFor: { readonly ca: number | null; readonly serving: number | null };
  /** The bundle that is stored with the pair. */
  readonly stored: string;
  /** The caBundle of each webhook in the configuration. */
  readonly published: readonly string[];
  /** Milliseconds for which all of them have contained the CA; 0 when one does not. */
  readonly trustedFor: number;
  /** Milliseconds for which the current pair has been available to load. */
  readonly servedFor: number;
}

export type RotationStep =
  /** Write a new CA, and keep the other trusted ones. */
  | { readonly do: 'create-ca'; readonly period: Period; readonly previous: readonly TrustedCertificate[] }
  /** Change the other trusted CA certificates. */
  | { readonly do: 'adopt' | 'retire'; readonly previous: readonly TrustedCertificate[] }
  /** Write a pair signed by the CA. */
  | { readonly do: 'issue'; readonly period: Period; readonly bundle: string }
  /** Publish the trust bundle to the API servers. */
  | { readonly do: 'publish'; readonly bundle: string }
  /** Store the bundle with the pair. */
  | { readonly do: 'store'; readonly bundle: string }
  /** Nothing for this many milliseconds, unless something changes. */
  | { readonly do: 'wait'; readonly milliseconds: number };

/** PEM of all of them. */
export const bundleOf = (certificates: readonly TrustedCertificate[]): string => certificates.map(({ pem }) => pem).join('');

/** @param now Unix time in milliseconds */
export function nextStep(state: RotationState, times: RotationTimes, now: number): RotationStep {
  const { ca, previous, serving } = state;
  if (ca === null) return createCa(null, distinct([...previous, ...state.adoptable]), { times, now });
  if (!isValid(ca, now)) return createCa(ca, distinct([ca, ...previous, ...state.adoptable]), { times, now });
  const adopted = adoption(state, ca);
  if (adopted !== null) return { do: 'adopt', previous: [...previous, adopted] };

  const bundle = bundleOf([ca, ...previous]);
  const isPublished = state.published.every((text) => text === bundle);
  const isNeeded = needsCertificate(state, ca, { times, now });
  const signsIn = untilTrusted(state, isPublished, times);
  if (isNeeded && signsIn <= 0) return { do: 'issue', period: servingPeriod(state, ca, { times, now }), bundle };
  if (!isPublished) return { do: 'publish', bundle };
  if (serving !== null && state.stored !== bundle) return { do: 'store', bundle };
  if (isNeeded) return wait(signsIn);

  if (previous.length > 0) {
    const untilServed = times.reloadDelay - state.servedFor;
    return untilServed > 0 ? wait(untilServed) : { do: 'retire', previous: [] };
  }
  const isShorter = isShortened(state.madeFor.ca, times.caLifetime);
  const untilDue = isShorter ? 0 : dueAt(ca.notAfter, times.caLifetime) - now;
  if (untilDue <= 0) return createCa(isShorter ? { ...ca, notAfter: 0 } : ca, [ca], { times, now });
  return wait(Math.min(untilDue, untilRenewal(state, ca, { times, now })));
}

/**
 * Why rotations with these times could break calls; null when they cannot.
 * When a renewal becomes due, a third of the lifetime is left for the whole rotation.
 */
export function timesProblem({ certificateLifetime, caLifetime, bundleDelay, reloadDelay }: RotationTimes): string | null {
  const needed = bundleDelay + reloadDelay;
  if (certificateLifetime / 3 <= needed)
    return `a third of certificate-lifetime must be longer than bundle-delay and reload-delay together, ${needed / 1000} s`;
  if (caLifetime < certificateLifetime) return 'ca-lifetime must not be shorter than certificate-lifetime';
  return null;
}

const wait = (milliseconds: number): RotationStep => ({ do: 'wait', milliseconds });

const isValid = ({ notBefore, notAfter }: Period, now: number): boolean => notBefore <= now && now < notAfter;

const distinct = (certificates: readonly TrustedCertificate[]): TrustedCertificate[] => [
  ...new Map(certificates.map((certificate) => [certificate.id, certificate])).values(),
];

/**
 * The unknown signer of the served certificate, when it is neither the current CA nor a previous one: the pair is from cert-manager, or
 * from before the CA was lost.
 */
function adoption({ serving, previous, adoptable }: RotationState, ca: TrustedCertificate): TrustedCertificate | null {
  const signer = adoptable.find(({ id }) => id === serving?.signer);
  return signer === undefined || signer.id === ca.id || previous.some(({ id }) => id === signer.id) ? null : signer;
}

/** Milliseconds until every API server trusts what the CA signs. */
function untilTrusted({ previous, serving, trustedFor }: RotationState, isPublished: boolean, { bundleDelay }: RotationTimes): number {
  // Nothing else is trusted, so there is nothing to wait for: a certificate of this CA is the best available.
  if (previous.length === 0) return 0;
  // Without a trusted certificate no pod can start, and with an expired one every call fails. An API server that sees the change late does
  // less harm.
  if (serving === null || serving.signer === null) return isPublished ? 0 : Infinity;
  return bundleDelay - trustedFor;
}

/** A shortened lifetime also applies to existing certificates. */
const isShortened = (madeFor: number | null, lifetime: number): boolean => madeFor !== null && lifetime < madeFor;

interface At {
  readonly times: RotationTimes;
  readonly now: number;
}

/**
 * Covers the validity of the previous one. The first certificate starts one lifetime ago: if it was issued while the clock was ahead, it is
 * still valid once the clock is right. A later start protects nothing, since the key is as young as the certificate.
 */
function createCa(before: TrustedCertificate | null, previous: readonly TrustedCertificate[], { times, now }: At): RotationStep {
  const { caLifetime } = times;
  const notBefore = Math.min(now - caLifetime, before?.notBefore ?? Infinity);
  return {
    do: 'create-ca',
    period: { notBefore: Math.max(0, notBefore), notAfter: Math.max(now + caLifetime, before?.notAfter ?? 0) },
    previous,
  };
}

/**
 * Starts with the CA's validity, as in kubeadm (kubernetes, cmd/kubeadm/app/util/pkiutil), and ends no earlier than the current one, unless
 * that is longer than allowed.
 */
function servingPeriod({ serving, madeFor }: RotationState, ca: TrustedCertificate, { times, now }: At): Period {
  const present = isShortened(madeFor.serving, times.certificateLifetime) ? 0 : (serving?.notAfter ?? 0);
  const end = Math.max(now + times.certificateLifetime, present);
  return { notBefore: ca.notBefore, notAfter: Math.min(end, ca.notAfter) };
}

function needsCertificate(state: RotationState, ca: TrustedCertificate, at: At): boolean {
  const { serving } = state;
  if (serving === null || !serving.fits || serving.signer !== ca.id || serving.notBefore > at.now) return true;
  if (isShortened(state.madeFor.serving, at.times.certificateLifetime)) return true;
  return untilRenewal(state, ca, at) <= 0;
}

/** Milliseconds until a new certificate is due that would also outlast the current one: no certificate outlives its CA. */
function untilRenewal({ serving }: RotationState, ca: TrustedCertificate, { times, now }: At): number {
  if (serving === null) return 0;
  const { certificateLifetime } = times;
  const isAsLongAsCanBe = ca.notAfter - serving.notAfter < certificateLifetime / 20;
  return (isAsLongAsCanBe ? serving.notAfter : dueAt(serving.notAfter, certificateLifetime)) - now;
}

/** Two thirds of the lifetime, counted from its end, since certificates start long before they are issued. */
const dueAt = (notAfter: number, lifetime: number): number => notAfter - lifetime / 3;
