/** Certificates of one test cluster, made in memory for each run: nothing signed by them is good for longer than the test. */
import 'reflect-metadata';
import { generateKeyPairSync, KeyObject, webcrypto } from 'node:crypto';
import { isIP } from 'node:net';

import * as x509 from '@peculiar/x509';

x509.cryptoProvider.set(webcrypto);

const ecdsa = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' } as const;
const validDays = 2;

/** A certificate and its key, both PEM; the key is PKCS #8. */
export interface KeyPair {
  readonly certificate: string;
  readonly key: string;
}

export interface Authority {
  /** PEM. */
  readonly certificate: string;
  /** A certificate for a server that is reached by these host names and IP addresses. */
  server(names: readonly [string, ...string[]]): Promise<KeyPair>;
  /** A certificate for a client; `subject` as `O=system:masters, CN=admin`: Kubernetes reads O as group and CN as user. */
  client(subject: string): Promise<KeyPair>;
}

const newKeys = () => webcrypto.subtle.generateKey(ecdsa, true, ['sign', 'verify']);

function validity(): { notBefore: Date; notAfter: Date } {
  // A minute back: clocks of a cluster differ, and the API server refuses a certificate from its future.
  const notBefore = new Date(Date.now() - 60_000);
  return { notBefore, notAfter: new Date(notBefore.getTime() + validDays * 86_400_000) };
}

const usage = (purpose: 'serverAuth' | 'clientAuth') => new x509.ExtendedKeyUsageExtension([x509.ExtendedKeyUsage[purpose]]);

export async function createAuthority(name: string): Promise<Authority> {
  const keys = await newKeys();
  const root = await x509.X509CertificateGenerator.createSelfSigned({
    name: `CN=${name}`,
    keys,
    signingAlgorithm: ecdsa,
    ...validity(),
    extensions: [
      new x509.BasicConstraintsExtension(true, undefined, true),
      new x509.KeyUsagesExtension(x509.KeyUsageFlags.keyCertSign | x509.KeyUsageFlags.cRLSign, true),
      await x509.SubjectKeyIdentifierExtension.create(keys.publicKey),
    ],
  });

  async function issue(subject: string, extensions: x509.Extension[]): Promise<KeyPair> {
    const leaf = await newKeys();
    const certificate = await x509.X509CertificateGenerator.create({
      subject,
      issuer: root.subject,
      publicKey: leaf.publicKey,
      signingKey: keys.privateKey,
      signingAlgorithm: ecdsa,
      ...validity(),
      extensions: [
        new x509.BasicConstraintsExtension(false),
        new x509.KeyUsagesExtension(x509.KeyUsageFlags.digitalSignature, true),
        await x509.AuthorityKeyIdentifierExtension.create(keys.publicKey),
        ...extensions,
      ],
    });
    const key = KeyObject.from(leaf.privateKey).export({ type: 'pkcs8', format: 'pem' });
    return { certificate: certificate.toString('pem'), key };
  }

  return {
    certificate: root.toString('pem'),
    server: (names) => {
      const alternatives = names.map((value) => ({ type: isIP(value) ? ('ip' as const) : ('dns' as const), value }));
      return issue(`CN=${names[0]}`, [usage('serverAuth'), new x509.SubjectAlternativeNameExtension(alternatives)]);
    },
    client: (subject) => issue(subject, [usage('clientAuth')]),
  };
}

/** The pair that signs and checks ServiceAccount tokens, both PEM. */
export const serviceAccountKeys = (): { privateKey: string; publicKey: string } =>
  generateKeyPairSync('ec', {
    namedCurve: ecdsa.namedCurve,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
