/** A reconciler brings one part of the cluster to the state that the policy describes. Only the leader runs it. */
import type { Logger } from 'pino';

import type { Cluster } from '../cluster/connection.ts';
import type { Finding } from '../errors/finding.ts';
import type { PolicyProblem } from '../policy/problem.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { HostsFile } from './hosts/hosts-file.ts';
import type { ControllerMetrics } from './metrics.ts';
import type { ObservedWatches } from './observed-watch.ts';
import type { ControllerOptions, Feature } from './options.ts';

export interface Reconciler {
  readonly name: Feature;
  /** Called once. Must not throw: failures are logged and retried. */
  start(): void;
  /** Called once, after `start`. Resolves when no API call is in flight and none will follow. */
  stop(): Promise<void>;
  /** Whether it has read everything it needs and knows of no failure. */
  isReady(): boolean;
  /** Problems that a restart would not solve; for people, so short and without secrets. */
  problems?(): readonly string[];
  /** The policy was replaced; `ReconcilerContext.policy` has the new one. */
  policyChanged?(): void;
}

/** Passed to every reconciler. */
export interface ReconcilerContext {
  readonly cluster: Cluster;
  readonly watches: ObservedWatches;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly options: ControllerOptions;
  /** The policy in force. Only for reconcilers that need a policy. */
  readonly policy: () => CompiledPolicy;
  /** The ConfigMap of resolved hosts. */
  readonly hostsFile: HostsFile;
  /** The positions of problems in the file of that policy. */
  readonly locate: (problems: readonly PolicyProblem[]) => readonly Finding[];
  /** By the clock: false as soon as another process may lead, even if this one was suspended. */
  readonly isLeader: () => boolean;
}

/** Created anew at each election, so that no state of an earlier leadership is left. */
export type ReconcilerFactory = (context: ReconcilerContext) => Reconciler;

export interface Part {
  readonly name: Feature;
  readonly create: ReconcilerFactory;
}
