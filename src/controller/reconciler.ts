/** What the controller consists of: reconcilers that each bring one part of the cluster to what the policy says, and only on the leader. */
import type { Logger } from 'pino';

import type { Cluster } from '../cluster/connection.ts';
import type { CompiledPolicy } from '../rules/compile.ts';
import type { ControllerMetrics } from './metrics.ts';
import type { ControllerOptions, Feature } from './options.ts';

export interface Reconciler {
  readonly name: Feature;
  /** Called once. Must not throw: what fails is logged and tried again. */
  start(): void;
  /** Called once, after `start`. Resolves when no call to the API is in flight and none will follow. */
  stop(): Promise<void>;
  /** Whether it has seen all it needs and knows of nothing that it could not do. */
  isReady(): boolean;
  /** What it could not do that a restart would not mend; for people, so in few words and without secrets. */
  problems?(): readonly string[];
  /** The policy was replaced; `ReconcilerContext.policy` has the new one. */
  policyChanged?(): void;
}

/** What every reconciler is given. */
export interface ReconcilerContext {
  readonly cluster: Cluster;
  readonly log: Logger;
  readonly metrics: ControllerMetrics;
  readonly options: ControllerOptions;
  /** The policy in force. Not to be asked by parts that do not need one. */
  readonly policy: () => CompiledPolicy;
}

/** Made anew at each election, so that nothing of an earlier leadership is left. */
export type ReconcilerFactory = (context: ReconcilerContext) => Reconciler;

export interface Part {
  readonly name: Feature;
  /** Whether it has to wait until a policy has loaded. */
  readonly needsPolicy: boolean;
  readonly create: ReconcilerFactory;
}
