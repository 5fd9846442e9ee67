/** The files of TLS followed: what is new, whole and valid is used from the next handshake on; of anything else is complained once. */
import type { Logger } from 'pino';
import { readSettled } from '../files/settled.ts';
import { watchFiles, type Watch } from '../files/watch.ts';
import type { Metrics } from '../observe/metrics.ts';
import { readClientCa, readKeyPair, type KeyPair, type KeyPairFiles } from '../tls/pair.ts';
import type { WebhookServer } from './server.ts';

export interface TlsUsers {
  readonly server: Pick<WebhookServer, 'useKeyPair' | 'useClientCa'>;
  readonly metrics: Metrics;
  readonly log: Logger;
}

export function followPair(files: KeyPairFiles, first: KeyPair, { server, metrics, log }: TlsUsers): Watch {
  return follow({
    files: [files.certFile, files.keyFile],
    read: () => readKeyPair(files),
    textOf: ({ cert, key }) => cert + key,
    first,
    use: (pair) => {
      server.useKeyPair(pair);
      metrics.certificateExpiry.set(pair.notAfter.getTime() / 1000);
      metrics.certificateReloads.inc({ result: 'loaded' });
      log.info({ notAfter: pair.notAfter.toISOString() }, 'certificate reloaded');
    },
    refuse: (message) => {
      metrics.certificateReloads.inc({ result: 'refused' });
      log.error(`the changed certificate is refused, the last good one stays in use: ${message}`);
    },
  });
}

/** Connections that are open stay what they were: accepted, or not. */
export function followClientCa(file: string, first: string, { server, log }: Pick<TlsUsers, 'server' | 'log'>): Watch {
  return follow({
    files: [file],
    read: () => readClientCa(file),
    textOf: (pem) => pem,
    first,
    use: (pem) => {
      server.useClientCa(pem);
      log.info('client CA reloaded');
    },
    refuse: (message) => log.error(`the changed client CA is refused, the last good one stays in use: ${message}`),
  });
}

interface Followed<T> {
  readonly files: readonly string[];
  readonly read: () => Promise<T>;
  readonly textOf: (value: T) => string;
  readonly first: T;
  readonly use: (value: T) => void;
  readonly refuse: (message: string) => void;
}

function follow<T>({ files, read, textOf, first, use, refuse }: Followed<T>): Watch {
  let seen = textOf(first);
  let complaint = '';
  return watchFiles(files, async () => {
    try {
      const value = await readSettled(read, textOf, seen);
      if (value === null) return;
      complaint = '';
      if (textOf(value) === seen) return;
      use(value);
      seen = textOf(value);
    } catch (error) {
      const message = error instanceof Error ? error.message : String(error);
      if (message === complaint) return;
      complaint = message;
      refuse(message);
    }
  });
}
