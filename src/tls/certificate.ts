/**
 * Making certificates: ECDSA P-256, as small and fast as TLS gets. For `transship try` and for the controller; what
 * serves requests never loads this file.
 */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  KeyUsageFlags,
  KeyUsagesExtension,
  SubjectAlternativeNameExtension,
  SubjectKeyIdentifierExtension,
  X509Certificate,
  X509CertificateGenerator,
  cryptoProvider,
} from '@peculiar/x509';

import type { Period } from './rotation.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
/** Clocks of nodes differ, and a certificate that is not valid yet breaks every call. */
const backdate = 5 * 60_000;

export interface IssuedPair {
  readonly cert: string;
  readonly key: string;
}

/** Milliseconds from now, or the start and the end. */
export type Validity = { readonly lifetime: number } | Period;

/** A self-signed certificate authority (CA). The name shows in `openssl x509 -issuer`. */
export async function createCa(commonName: string, validity: Validity): Promise<IssuedPair> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.createSelfSigned({
    serialNumber: serialNumber(),
    name: `CN=${commonName}`,
    ...datesOf(validity),
    keys,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(true, 0, true),
      // RFC 5280, section 4.2.1.3.
      new KeyUsagesExtension(KeyUsageFlags.keyCertSign | KeyUsageFlags.cRLSign, true),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

/**
 * A serving certificate. Names go into subjectAltName, the only place where the API server looks
 * (kubernetes/client-go, transport/transport.go).
 */
export async function issueServing(ca: IssuedPair, names: readonly string[], validity: Validity): Promise<IssuedPair> {
  cryptoProvider.set(webcrypto);
  const issuer = new X509Certificate(ca.cert);
  const signingKey = await importKey(ca.key);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: serialNumber(),
    subject: `CN=${names[0]?.slice(0, 64) ?? 'transship'}`,
    issuer: issuer.subject,
    ...datesOf(validity),
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [
      new BasicConstraintsExtension(false, undefined, true),
      new KeyUsagesExtension(KeyUsageFlags.digitalSignature, true),
      new ExtendedKeyUsageExtension([ExtendedKeyUsage.serverAuth]),
      new SubjectAlternativeNameExtension(names.map((name) => ({ type: isAddress(name) ? 'ip' : 'dns', value: name }))),
      await SubjectKeyIdentifierExtension.create(keys.publicKey),
      await AuthorityKeyIdentifierExtension.create(issuer),
    ],
  });
  return { cert: `${certificate.toString('pem')}\n`, key: await exportKey(keys.privateKey) };
}

function datesOf(validity: Validity): { notBefore: Date; notAfter: Date } {
  if ('notBefore' in validity) return { notBefore: new Date(validity.notBefore), notAfter: new Date(validity.notAfter) };
  const now = Date.now();
  return { notBefore: new Date(now - backdate), notAfter: new Date(now + validity.lifetime) };
}

/** 127 random bits, positive (RFC 5280, section 4.1.2.2). */
function serialNumber(): string {
  const bytes = webcrypto.getRandomValues(new Uint8Array(16));
  bytes[0] = ((bytes[0] ?? 0) & 0x7f) | 0x40;
  return Buffer.from(bytes).toString('hex');
}

function isAddress(name: string): boolean {
  return /^\d+(\.\d+){3}$/.test(name) || name.includes(':');
}

async function exportKey(key: CryptoKey): Promise<string> {
  const der = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', key)).toString('base64');
  return `-----BEGIN PRIVATE KEY-----\n${der.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`;
}

async function importKey(pem: string): Promise<CryptoKey> {
  const der = Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
  return await webcrypto.subtle.importKey('pkcs8', der, algorithm, false, ['sign']);
}
