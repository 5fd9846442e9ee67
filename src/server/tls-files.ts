/** Follows the TLS files. A complete and valid pair or client CA is used from the next handshake on; an invalid one is logged once. */
import type { Logger } from 'pino';
import { followFiles } from '../files/follow.ts';
import type { Watch } from '../files/watch.ts';
import type { Metrics } from '../observe/metrics.ts';
import { logRefusedReload, logReload, logRestored } from '../observe/reload-log.ts';
import { readClientCa, readKeyPair, type KeyPair, type KeyPairFiles } from '../tls/pair.ts';
import type { WebhookServer } from './server.ts';

export interface TlsUsers {
  readonly server: Pick<WebhookServer, 'useKeyPair' | 'useClientCa'>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export function followPair(files: KeyPairFiles, first: KeyPair, { server, metrics, log }: TlsUsers): Watch {
  const succeeded = (isInUse: boolean): void => metrics.lastReload.set({ file: 'certificate' }, isInUse ? 1 : 0);
  succeeded(true);
  return followFiles({
    paths: [files.certFile, files.keyFile],
    read: () => readKeyPair(files),
    keyOf,
    current: keyOf(first),
    changed: (pair) => {
      server.useKeyPair(pair);
      metrics.certificateExpiry.set(pair.notAfter.getTime() / 1000);
      metrics.certificateReloads.inc({ result: 'loaded' });
      succeeded(true);
      logReload(log, 'certificate', { notAfter: pair.notAfter.toISOString() });
    },
    failed: (error) => {
      metrics.certificateReloads.inc({ result: 'refused' });
      succeeded(false);
      logRefusedReload(log, 'certificate', error);
    },
    restored: () => {
      succeeded(true);
      logRestored(log, 'certificate');
    },
  });
}

function keyOf({ cert, key }: KeyPair): string {
  return cert + key;
}

/** Open connections keep their state: authorized or not. */
export function followClientCa(file: string, first: string, { server, metrics, log }: TlsUsers): Watch {
  const succeeded = (isInUse: boolean): void => metrics.lastReload.set({ file: 'client-ca' }, isInUse ? 1 : 0);
  succeeded(true);
  return followFiles({
    paths: [file],
    read: () => readClientCa(file),
    keyOf: (pem) => pem,
    current: first,
    changed: (pem) => {
      server.useClientCa(pem);
      succeeded(true);
      logReload(log, 'client CA');
    },
    failed: (error) => {
      succeeded(false);
      logRefusedReload(log, 'client CA', error);
    },
    restored: () => {
      succeeded(true);
      logRestored(log, 'client CA');
    },
  });
}
