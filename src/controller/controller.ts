/** The controller as a whole: follows the policy, tells how it is, and runs its loops while it leads. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import type { Logger } from 'pino';

import { describeError } from '../cluster/api-error.ts';
import { connect } from '../cluster/connection.ts';
import { electLeader } from '../cluster/lease.ts';
import { observePolicy, observeReload } from '../observe/reload-log.ts';
import { PolicySource } from '../config/source.ts';
import { startMetricsServer } from '../observe/metrics-server.ts';
import { Leadership } from './leadership.ts';
import { createControllerMetrics, type ControllerMetrics } from './metrics.ts';
import type { ReconcilerFactory } from './reconciler.ts';
import type { ControllerOptions, Feature } from './options.ts';

export interface Controller {
  /** Of /healthz, /readyz and /metrics. */
  readonly port: number;
  /** Unready from now on. */
  readonly startDraining: () => void;
  /** Stops the loops, gives the lease up and stops listening. */
  readonly close: () => Promise<void>;
  /** Breaks every connection to the API server: what is in flight fails. */
  readonly destroy: () => void;
}

/** Loaded when they are used: a controller without certificates keeps their library out of its memory. */
const loops: Readonly<Record<Feature, () => Promise<ReconcilerFactory>>> = {
  secrets: async () => (await import('./secrets/replication.ts')).secretsReconciler,
  hosts: async () => (await import('./hosts/hosts.ts')).hostsReconciler,
  certificates: async () => (await import('./certificates/certificates.ts')).certificatesReconciler,
};

/** How many times within the lease's duration the leader writes it. */
const renewals = 4;

/** @throws PolicyError, ClusterConfigError, or Node's error when the port cannot be had */
export async function startController(options: ControllerOptions, log: Logger): Promise<Controller> {
  const metrics = createControllerMetrics();
  const source = await followPolicy(options.policy, { log, metrics });
  const cluster = await connect(options.kubeconfig === null ? {} : { kubeconfig: options.kubeconfig });
  const makers = await Promise.all(options.features.map((feature) => loops[feature]()));
  const context = { cluster, log, metrics, options, policy: () => source.policy.current.compiled };
  const renewSeconds = options.leaseSeconds / renewals;
  const leadership = new Leadership(makers, context, renewSeconds * 2000);
  source.changed = () => leadership.policyChanged();
  const metricsServer = await startMetricsServer(metrics.registry, () => leadership.readiness(), options).catch(async (error: unknown) => {
    source.policy.close();
    await cluster.close();
    throw error;
  });
  const stopReading = metrics.onScrape(() => metrics.leader.set(leadership.isLeader ? 1 : 0));
  const election = electLeader(cluster, {
    namespace: options.namespace,
    name: options.leaseName,
    identity: `${hostname()}-${randomBytes(4).toString('hex')}`,
    leaseSeconds: options.leaseSeconds,
    renewSeconds,
    onElected: () => leadership.won(),
    onLost: (reason) => leadership.lost(reason),
    onError: (error) => leadership.failed(describeError(error)),
  });
  log.info({ host: options.host, port: metricsServer.port, features: options.features, revision: source.policy.current.id }, 'listening');
  return {
    port: metricsServer.port,
    startDraining: () => leadership.startDraining(),
    close: async () => {
      source.policy.close();
      // The loops end first: whoever leads next must not meet a write of ours.
      await leadership.stop();
      await election.release();
      stopReading();
      metricsServer.destroy();
      await metricsServer.close();
      await cluster.close();
    },
    destroy: () => void cluster.close(),
  };
}

interface FollowedPolicy {
  readonly policy: PolicySource;
  changed: () => void;
}

async function followPolicy(file: string, { log, metrics }: { log: Logger; metrics: ControllerMetrics }): Promise<FollowedPolicy> {
  // Hosts are what this program finds out; it needs none itself.
  const { source, findings } = await PolicySource.open({ policy: file, resolvedHosts: null });
  observePolicy({ log, metrics }, source.current, findings);
  const followed: FollowedPolicy = { policy: source, changed: () => {} };
  source.follow((reload) => {
    observeReload({ log, metrics }, reload, source.current);
    if (reload.result === 'loaded') followed.changed();
  });
  return followed;
}
