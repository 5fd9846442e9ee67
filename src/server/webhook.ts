/** A running webhook: follows policy and certificates, listens on both ports. Started by `serve` and by tests. */
import { once } from 'node:events';
import type { Server } from 'node:https';
import type { AddressInfo } from 'node:net';
import type { Logger } from 'pino';
import type { Scope } from '../admission/scope.ts';
import { PolicySource, type PolicyFiles, type Revision } from '../config/source.ts';
import { startMetricsServer } from '../observe/metrics-server.ts';
import { createMetrics } from '../observe/metrics.ts';
import { observePolicy, observeReload } from '../observe/reload-log.ts';
import { checkKeyPair, readClientCa, readKeyPair, type KeyPairFiles, type KeyPair } from '../tls/pair.ts';
import type { LoggedReviews } from './review-log.ts';
import type { OverloadLimits } from './overload.ts';
import { createServer, defaultTimeouts, type Timeouts } from './server.ts';
import type { Closing } from '../process/shutdown.ts';
import { followClientCa, followPair } from './tls-files.ts';

export interface WebhookOptions {
  readonly policy: PolicyFiles;
  /** Files to follow, or a fixed pair. */
  readonly tls: KeyPairFiles | { readonly cert: string; readonly key: string };
  readonly host: string;
  /** 0 for any free port. */
  readonly port: number;
  readonly metricsPort: number;
  readonly clientCaFile: string | null;
  readonly scope: Scope;
  readonly loggedReviews: LoggedReviews;
  /** False: every review is parsed completely, and nothing is cached. */
  readonly reviewCache: boolean;
  readonly overload: OverloadLimits;
  /** Default: `defaultTimeouts`. */
  readonly timeouts?: Timeouts;
}

export interface Webhook extends Closing {
  readonly port: number;
  readonly metricsPort: number;
  readonly revision: () => Revision;
}

/** @throws OperatorError, or Node's error when the address is not available */
export async function startWebhook(options: WebhookOptions, log: Logger): Promise<Webhook> {
  const { source, findings } = await PolicySource.open(options.policy);
  const metrics = createMetrics();
  observePolicy({ log, metrics }, source.current, findings);
  const pair = await firstPair(options.tls);
  metrics.certificateExpiry.set(pair.notAfter.getTime() / 1000);
  const { clientCaFile } = options;
  const clientCa = clientCaFile === null ? null : await readClientCa(clientCaFile);
  const { scope, loggedReviews, reviewCache, overload, timeouts = defaultTimeouts } = options;
  const server = createServer({
    policy: () => source.current.compiled,
    scope,
    metrics,
    log,
    loggedReviews,
    reviewCache,
    overload,
    pair,
    clientCa,
    timeouts,
  });
  const { host } = options;
  await server.app.ready();
  const port = await listen(server.app.server, { host, port: options.port });
  const metricsServer = await startMetricsServer(metrics.registry, server.readiness, { host, port: options.metricsPort }).catch(
    async (error: unknown) => {
      await server.app.close();
      throw error;
    },
  );
  source.follow((reload) => observeReload({ log, metrics }, reload, source.current));
  const followed = [
    'certFile' in options.tls ? followPair(options.tls, pair, { server, metrics, log }) : null,
    clientCaFile === null || clientCa === null ? null : followClientCa(clientCaFile, clientCa, { server, metrics, log }),
  ];
  return {
    port,
    metricsPort: metricsServer.port,
    revision: () => source.current,
    startDraining: server.startDraining,
    destroy: () => {
      server.connections.destroy();
      metricsServer.destroy();
    },
    close: async () => {
      source.close();
      for (const watch of followed) watch?.close();
      await Promise.all([server.app.close(), metricsServer.close()]);
    },
  };
}

/** Not fastify's listen: for the name localhost it opens a second server, which a new certificate would not reach. */
async function listen(server: Server, address: { readonly host: string; readonly port: number }): Promise<number> {
  server.listen(address);
  await once(server, 'listening');
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- a TCP server that listens has such an address
  return (server.address() as AddressInfo).port;
}

async function firstPair(tls: WebhookOptions['tls']): Promise<KeyPair> {
  return 'certFile' in tls ? await readKeyPair(tls) : checkKeyPair(tls, { certFile: 'the certificate', keyFile: 'the key' });
}
