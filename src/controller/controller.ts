/** The controller: follows the policy, reports its state, and runs the reconcilers while it leads. */
import { randomBytes } from 'node:crypto';
import { hostname } from 'node:os';

import type { Logger } from 'pino';

import { describeError } from '../cluster/api-error.ts';
import { connect } from '../cluster/connection.ts';
import { electLeader } from '../cluster/lease.ts';
import { startMetricsServer } from '../observe/metrics-server.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import { FollowedPolicy } from './followed-policy.ts';
import { Leadership } from './leadership.ts';
import { createControllerMetrics } from './metrics.ts';
import { PolicyStatus } from './policy-status.ts';
import type { Part, ReconcilerFactory } from './reconciler.ts';
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
  const world = { cluster, log, metrics, options };
  const status = new PolicyStatus(cluster, followed, options);
  const renewSeconds = options.leaseSeconds / renewals;
  const leadership = new Leadership({
    parts: await Promise.all(options.features.map((feature) => loadPart(feature))),
    context: { ...world, policy: () => loadedPolicy(followed), locate: (problems) => followed.locate(problems) },
    quiet: renewSeconds * 2000,
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
  const hosts = options.features.some(needsHosts) ? followHosts(world, (text) => followed.useHosts(text)) : null;
  const stopReading = metrics.onScrape(() => metrics.leader.set(leadership.isLeader ? 1 : 0));
  const election = electLeader(cluster, {
    namespace: options.namespace,
    name: options.leaseName,
    identity: `${hostname()}-${randomBytes(4).toString('hex')}`,
    leaseSeconds: options.leaseSeconds,
    renewSeconds,
    onElected: () => {
      leadership.won();
      tellPolicy();
    },
    onLost: (reason) => leadership.lost(reason),
    onError: (error) => leadership.failed(describeError(error)),
  });
  const revision = followed.current?.id ?? null;
  log.info({ host: options.host, port: metricsServer.port, features: options.features, revision }, 'listening');
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

function loadedPolicy({ current }: FollowedPolicy): CompiledPolicy {
  if (current === null) throw new TypeError('no policy has loaded yet');
  return current.compiled;
}
