/** Reads PEM texts: the CA certificates in them, and whether a pair is signed by one of these for the right names. */
import { createPrivateKey, X509Certificate } from 'node:crypto';

import type { Period, ServingCertificate, TrustedCertificate } from './rotation.ts';

const block = /-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----/g;

/** The CA certificates in a text, each once. Anything else, or unreadable, is ignored. */
export function caCertificatesIn(pem: string): TrustedCertificate[] {
  const certificates = (pem.match(block) ?? []).flatMap((text) => parse(text) ?? []).filter(({ ca }) => ca);
  return [...new Map(certificates.map((certificate) => [certificate.fingerprint256, trusted(certificate)])).values()];
}

/** The CA certificate with this key; null when it is not a CA certificate, or not a pair. */
export function caCertificateOf(cert: string, key: string): TrustedCertificate | null {
  const certificate = parse(cert);
  return certificate !== null && certificate.ca && isKeyOf(key, certificate) ? trusted(certificate) : null;
}

export interface Pair {
  /** PEM, the leaf first. */
  readonly cert: string;
  readonly key: string;
}

/** Null when it holds no certificate. */
export function servingOf({ cert, key }: Pair, names: readonly string[], known: readonly TrustedCertificate[]): ServingCertificate | null {
  const certificate = parse(cert);
  if (certificate === null) return null;
  const held = new Set((certificate.subjectAltName ?? '').split(', '));
  return {
    ...periodOf(certificate),
    signer: known.find((candidate) => isSignedBy(certificate, candidate))?.id ?? null,
    fits: names.every((name) => held.has(`DNS:${name}`)) && isKeyOf(key, certificate),
  };
}

function isSignedBy(certificate: X509Certificate, { pem }: TrustedCertificate): boolean {
  const issuer = parse(pem);
  return issuer !== null && certificate.checkIssued(issuer) && certificate.verify(issuer.publicKey);
}

const trusted = (certificate: X509Certificate): TrustedCertificate => ({
  id: certificate.fingerprint256,
  pem: `${certificate.toString().trim()}\n`,
  ...periodOf(certificate),
});

const periodOf = ({ validFromDate, validToDate }: X509Certificate): Period => ({
  notBefore: validFromDate.getTime(),
  notAfter: validToDate.getTime(),
});

function isKeyOf(key: string, certificate: X509Certificate): boolean {
  try {
    return certificate.checkPrivateKey(createPrivateKey(key));
  } catch {
    return false;
  }
}

function parse(pem: string): X509Certificate | null {
  try {
    return new X509Certificate(pem);
  } catch {
    return null;
  }
}
