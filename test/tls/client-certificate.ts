/** A certificate as kube-apiserver presents it when it is configured to: signed, and for clients. */
import 'reflect-metadata';
import { webcrypto } from 'node:crypto';
import { cryptoProvider, ExtendedKeyUsage, ExtendedKeyUsageExtension, X509Certificate, X509CertificateGenerator } from '@peculiar/x509';
import type { IssuedPair } from '../../src/tls/certificate.ts';

const algorithm = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };

export async function clientPair(ca: IssuedPair, notAfter: Date): Promise<IssuedPair> {
  cryptoProvider.set(webcrypto);
  const keys = await webcrypto.subtle.generateKey(algorithm, true, ['sign', 'verify']);
  const signingKey = await webcrypto.subtle.importKey('pkcs8', derOf(ca.key), algorithm, false, ['sign']);
  const certificate = await X509CertificateGenerator.create({
    serialNumber: '01',
    subject: 'CN=kube-apiserver',
    issuer: new X509Certificate(ca.cert).subject,
    notBefore: new Date(notAfter.getTime() - 60 * 60_000),
    notAfter,
    publicKey: keys.publicKey,
    signingKey,
    signingAlgorithm: algorithm,
    extensions: [new ExtendedKeyUsageExtension([ExtendedKeyUsage.clientAuth])],
  });
  const key = Buffer.from(await webcrypto.subtle.exportKey('pkcs8', keys.privateKey)).toString('base64');
  return {
    cert: certificate.toString('pem'),
    key: `-----BEGIN PRIVATE KEY-----\n${key.replace(/(.{64})(?=.)/g, '$1\n')}\n-----END PRIVATE KEY-----\n`,
  };
}

function derOf(pem: string): Buffer<ArrayBuffer> {
  return Buffer.from(pem.replace(/-----[^-]+-----|\s/g, ''), 'base64');
}
