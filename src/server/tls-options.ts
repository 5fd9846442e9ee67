/** TLS versions and ciphers of the server. */
import type { KeyPair } from '../tls/pair.ts';

/**
 * TLS 1.2 with forward secrecy and authenticated encryption only, as in https://wiki.mozilla.org/Security/Server_Side_TLS (intermediate);
 * Node's default list includes CBC. Go supports all of them, and so the API server and the kubelet. TLS 1.3 has no others.
 */
const ciphers = [
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

export interface TlsOptions {
  readonly cert: string;
  readonly key: string;
  readonly minVersion: 'TLSv1.2';
  readonly ciphers: string;
  readonly ALPNProtocols: string[];
  readonly ca?: string;
  readonly requestCert?: boolean;
  readonly rejectUnauthorized?: boolean;
}

/** @param clientCa PEM of the CA of client certificates; null if none is required */
export function tlsOptions({ cert, key }: KeyPair, clientCa: string | null): TlsOptions {
  // Probes of the kubelet have no certificate, so an unauthorized connection is rejected by the routes and not here.
  const client = clientCa === null ? {} : { ca: clientCa, requestCert: true, rejectUnauthorized: false };
  return { cert, key, minVersion: 'TLSv1.2', ciphers, ALPNProtocols: ['http/1.1'], ...client };
}
