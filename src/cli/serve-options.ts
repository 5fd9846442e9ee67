/** The flags of `serve` by what they configure. */
import type { LogLevel } from '../observe/log-levels.ts';
import { defaultBudget } from '../server/byte-budget.ts';
import type { LoggedReviews } from '../server/review-log.ts';
import type { WebhookOptions } from '../server/webhook.ts';
import { serveFlags } from './flags.ts';
import { readFlags, type Environment, type Given } from './read-flags.ts';

export interface ServeOptions {
  readonly policy: string;
  readonly resolvedHosts: string | null;
  readonly tls: { readonly certFile: string; readonly keyFile: string };
  readonly host: string;
  readonly port: number;
  readonly metricsPort: number;
  readonly clientCa: string | null;
  readonly namespace: string | null;
  readonly logLevel: LogLevel;
  readonly loggedReviews: LoggedReviews;
  readonly reviewCache: boolean;
  /** Seconds. */
  readonly drainSeconds: number;
  readonly maxConnections: number;
  readonly maxInFlight: number;
  /** Bytes; null for a part of the memory limit. */
  readonly maxRequestMemory: number | null;
}

/** @throws OperatorError (USAGE) */
export function readServeOptions(args: readonly string[], env: Environment): ServeOptions {
  return serveOptions(readFlags(serveFlags, args, env).values);
}

export function serveOptions(values: Given<typeof serveFlags>['values']): ServeOptions {
  return {
    policy: values.policy,
    resolvedHosts: values['resolved-hosts'],
    tls: { certFile: values['tls-cert'], keyFile: values['tls-key'] },
    host: values.host,
    port: values.port,
    metricsPort: values['metrics-port'],
    clientCa: values['client-ca'],
    namespace: values.namespace,
    logLevel: values['log-level'],
    loggedReviews: values['log-reviews'],
    reviewCache: values['review-cache'],
    drainSeconds: values['drain-seconds'],
    maxConnections: values['max-connections'],
    maxInFlight: values['max-in-flight'],
    maxRequestMemory: values['max-request-memory'],
  };
}

export function webhookOptions(options: ServeOptions): WebhookOptions {
  const { policy, resolvedHosts, tls, host, port, metricsPort, clientCa, loggedReviews } = options;
  return {
    policy: { policy, resolvedHosts },
    tls,
    host,
    port,
    metricsPort,
    clientCaFile: clientCa,
    scope: { releaseNamespace: options.namespace },
    loggedReviews,
    reviewCache: options.reviewCache,
    overload: {
      maxConnections: options.maxConnections,
      maxInFlight: options.maxInFlight,
      maxRequestMemory: options.maxRequestMemory ?? defaultBudget(process.constrainedMemory()),
    },
  };
}
