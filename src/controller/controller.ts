/** The controller: follows the policy, reports its state, and runs the reconcilers while it leads. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import type { Logger } from 'pino';

import { describeError } from '../cluster/api-error.ts';
import { connect } from '../cluster/connection.ts';
import { electLeader } from '../cluster/lease.ts';
import { startMetricsServer } from '../observe/metrics-server.ts';
import { FollowedPolicy } from './followed-policy.ts';
import { HostsFile } from './hosts/hosts-file.ts';
import { Leadership } from './leadership.ts';
import { createControllerMetrics } from './metrics.ts';
import { ObservedWatches } from './observed-watch.ts';
import { PolicyStatus } from './policy-status.ts';
import type { Part, ReconcilerContext, ReconcilerFactory } from './reconciler.ts';
import type { ControllerOptions, Feature } from './options.ts';
import { followHosts, needsHosts } from './resolved-hosts.ts';

export interface Controller {
  /** Address of /healthz, /readyz and /metrics. */
  readonly port: number;
  /** Unready from now on. */
  readonly startDraining: () => void;
  /** Stops the reconcilers, releases the lease and stops listening. */
  readonly close: () => Promise<void>;
  /** Closes every connection to the API server: calls in flight fail. */
  readonly destroy: () => void;
}

/** Imported on use: a controller without certificates does not load their library. */
const factories: Readonly<Record<Feature, () => Promise<ReconcilerFactory>>> = {
  secrets: async () => (await import('./secrets/replication.ts')).secretsReconciler,
  hosts: async () => (await import('./hosts/hosts.ts')).hostsReconciler,
  verify: async () => (await import('./verify/verify.ts')).verifyReconciler,
  fallback: async () => (await import('./fallback/fallback.ts')).fallbackReconciler,
  policies: async () => (await import('./policies/policies.ts')).policiesReconciler,
  certificates: async () => (await import('./certificates/certificates.ts')).certificatesReconciler,
};

const loadPart = async (name: Feature): Promise<Part> => ({ name, create: await factories[name]() });

/** How often the leader renews within the duration of the lease. */
const renewals = 4;

/** @throws PolicyError, ClusterConfigError, or Node's error when the port is not available */
export async function startController(options: ControllerOptions, log: Logger): Promise<Controller> {
  const metrics = createControllerMetrics();
  const followed = await FollowedPolicy.open(options.policy, { log, metrics, mayWait: options.features.includes('certificates') });
  const cluster = await connect(options.kubeconfig === null ? {} : { kubeconfig: options.kubeconfig });
  const status = new PolicyStatus(cluster, followed, options);
  const lease = leaseOf(options);
  const world = { cluster, watches: new ObservedWatches({ cluster, log, metrics }), log, metrics, options };
  const isLeader = (): boolean => election.isLeader;
  const leadership = new Leadership({
    parts: await Promise.all(options.features.map((feature) => loadPart(feature))),
    context: { ...world, ...policyOf(followed), hostsFile: new HostsFile({ ...world, isLeader }), isLeader },
    quiet: lease.renewSeconds * 2000,
    mayStart: ({ name }) => name === 'certificates' || (followed.current !== null && (followed.hasHosts || !needsHosts(name))),
    policyProblems: () => status.problems(),
  });
  const tellPolicy = (): void => {
    for (const problem of status.problems()) log.warn({ problem }, 'parts of the policy have no effect');
    if (leadership.isLeader) void status.record();
  };
  followed.onChange = () => {
    tellPolicy();
    leadership.policyChanged();
  };
  const metricsServer = await startMetricsServer(metrics.registry, () => leadership.readiness(), options).catch(async (error: unknown) => {
    followed.close();
    await cluster.close();
    throw error;
  });
  const hosts = options.features.some(needsHosts) ? followHosts(world, followed) : null;
  const stopReading = metrics.onScrape(() => metrics.leader.set(leadership.isLeader ? 1 : 0));
  const election = electLeader(cluster, {
    ...lease,
    onElected: () => {
      leadership.won();
      tellPolicy();
    },
    onLost: (reason) => leadership.lost(reason),
    onError: (error) => leadership.failed(describeError(error)),
  });
  const { host, features } = options;
  log.info({ host, port: metricsServer.port, features, revision: followed.current?.id ?? null }, 'listening');
  return {
    port: metricsServer.port,
    startDraining: () => leadership.startDraining(),
    close: async () => {
      followed.close();
      await hosts?.close();
      // The reconcilers end first: they must not write once another process leads.
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

const leaseOf = ({ namespace, leaseName, leaseSeconds }: ControllerOptions) => ({
  namespace,
  name: leaseName,
  identity: `${hostname()}-${randomBytes(4).toString('hex')}`,
  leaseSeconds,
  renewSeconds: leaseSeconds / renewals,
});

const policyOf = (followed: FollowedPolicy): Pick<ReconcilerContext, 'policy' | 'locate'> => ({
  policy: () => {
    if (followed.current === null) throw new TypeError('no policy has loaded yet');
    return followed.current.compiled;
  },
  locate: (problems) => followed.locate(problems),
});
