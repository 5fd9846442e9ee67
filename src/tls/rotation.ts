/**
 * Renewal of the serving certificate and of its CA, as a state machine: the observed state goes in, the next step comes out.
 *
 * A new CA is trusted before it signs, and an old one until no webhook pod serves a certificate of it. So what is served is trusted at every moment, although API
 * servers and webhooks learn of a change some time later. Every step can be repeated, and everything that must survive a restart is in the cluster.
 *
 * The local clock may be wrong. It may trigger issuing, but never removes trust. A replacement covers at least the validity of what it replaces, unless a
 * shorter lifetime is configured.
 */

/** Milliseconds. */
export interface RotationTimes {
  readonly certificateLifetime: number;
  readonly caLifetime: number;
  /** Until every API server trusts a bundle that it was given. */
  readonly bundleDelay: number;
  /** Until every webhook pod serves a certificate that was written. */
  readonly reloadDelay: number;
}

/** When a certificate is valid: Unix times in milliseconds. */
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
  /** `id` of the known certificate that signed it, null for an unknown one. */
  readonly signer: string | null;
  /** Whether it has the names of the Service, and its key. */
  readonly fits: boolean;
}

/** The observed state. Durations are measured by this process and start at 0 with it: waiting again is safe, comparing the clocks of two machines is not. */
export interface RotationState {
  /** The CA that signs; null when there is none with its key. */
  readonly ca: TrustedCertificate | null;
  /** CAs that no longer sign and are still trusted. */
  readonly previous: readonly TrustedCertificate[];
  /** Other CAs in the published or the stored bundle. */
  readonly adoptable: readonly TrustedCertificate[];
  readonly serving: ServingCertificate | null;
  /** The lifetimes with which the CA and the pair were made; null when that is not known. How long they are valid does not tell, once a clock was wrong. */
  readonly madeFor: { readonly ca: number | null; readonly serving: number | null };
  /** The bundle that is stored beside the pair. */
  readonly stored: string;
  /** The bundle of each entry of the webhook configuration. */
  readonly published: readonly string[];
  /** Milliseconds for which each of them has had the CA; 0 when one has not. */
  readonly trustedFor: number;
  /** Milliseconds for which the present pair has been there to load. */
  readonly servedFor: number;
}

export type RotationStep =
  /** Write a new CA, beside those that stay trusted. */
  | { readonly do: 'create-ca'; readonly period: Period; readonly previous: readonly TrustedCertificate[] }
  /** Change those that stay trusted beside the CA. */
  | { readonly do: 'adopt' | 'retire'; readonly previous: readonly TrustedCertificate[] }
  /** Write a pair signed by the CA. */
  | { readonly do: 'issue'; readonly period: Period; readonly bundle: string }
  /** Tell the API servers whom to trust. */
  | { readonly do: 'publish'; readonly bundle: string }
  /** Write the bundle beside the pair. */
  | { readonly do: 'store'; readonly bundle: string }
  /** Nothing for so many milliseconds, unless something changes. */
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
 * From the moment at which a renewal is due, a third of the life is left for all that it takes.
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

/** Who signed what is served, when that is neither ours nor kept: the pair is of cert-manager, or of a time before our CA was lost. */
function adoption({ serving, previous, adoptable }: RotationState, ca: TrustedCertificate): TrustedCertificate | null {
  const signer = adoptable.find(({ id }) => id === serving?.signer);
  return signer === undefined || signer.id === ca.id || previous.some(({ id }) => id === signer.id) ? null : signer;
}

/** Milliseconds until what the CA signs is trusted wherever it may be served. */
function untilTrusted({ previous, serving, trustedFor }: RotationState, isPublished: boolean, { bundleDelay }: RotationTimes): number {
  // With nothing else trusted there is nothing to wait for: what this CA signs is the best there can be.
  if (previous.length === 0) return 0;
  // Without a certificate that somebody could trust no pod can start, and with the last one every call fails. An API server that learns late does less harm.
  if (serving === null || serving.signer === null) return isPublished ? 0 : Infinity;
  return bundleDelay - trustedFor;
}

/** A lifetime that was made shorter counts for what is there. */
const isShortened = (madeFor: number | null, lifetime: number): boolean => madeFor !== null && lifetime < madeFor;

interface At {
  readonly times: RotationTimes;
  readonly now: number;
}

/**
 * Covers the time of the one before. The first begins a lifetime ago: made while the clock was ahead, it is valid when the clock is right again.
 * A late begin protects nobody, since the key is as young as the certificate.
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

/** Begins with its CA, as kubeadm's do (kubernetes, cmd/kubeadm/app/util/pkiutil), and ends no earlier than the present one, unless that lasts too long. */
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

/** Milliseconds until a new certificate is due that would also last longer than the present one: no certificate outlives its CA. */
function untilRenewal({ serving }: RotationState, ca: TrustedCertificate, { times, now }: At): number {
  if (serving === null) return 0;
  const { certificateLifetime } = times;
  const isAsLongAsCanBe = ca.notAfter - serving.notAfter < certificateLifetime / 20;
  return (isAsLongAsCanBe ? serving.notAfter : dueAt(serving.notAfter, certificateLifetime)) - now;
}

/** Two thirds of the life. From its end, since certificates begin long before they are made. */
const dueAt = (notAfter: number, lifetime: number): number => notAfter - lifetime / 3;
