/** Where the API server is and how it knows us. This file: the pod's own service account. */
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import { OperatorError } from '../errors/operator-error.ts';
import type { TlsIdentity } from './shared-dispatcher.ts';

export interface Credentials {
  /** `https://host:port`, maybe with a path; no slash at its end. */
  readonly server: string;
  /** Asked for each call, so that files may change. Rejects when they cannot be read. */
  current(): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly identity: TlsIdentity }>;
}

/** The configuration names no API server that can be used. */
export class ClusterConfigError extends OperatorError {
  override readonly name = 'ClusterConfigError';

  constructor(problem: string, remedy?: string, cause?: unknown) {
    super('CLUSTER_CONFIG_INVALID', problem, remedy, { cause });
  }
}

const mountedFolder = '/var/run/secrets/kubernetes.io/serviceaccount';

/**
 * https://kubernetes.io/docs/tasks/run-application/access-api-from-pod/#directly-accessing-the-rest-api
 *
 * @throws ClusterConfigError outside of a pod
 */
export function serviceAccount(environment: NodeJS.ProcessEnv = process.env, folder = mountedFolder): Credentials {
  const { KUBERNETES_SERVICE_HOST: host, KUBERNETES_SERVICE_PORT: port = '443' } = environment;
  if (host === undefined) throw new ClusterConfigError('KUBERNETES_SERVICE_HOST is not set', 'run in a pod, or name a kubeconfig');
  return {
    server: `https://${isIPv6(host) ? `[${host}]` : host}:${port}`,
    current: async () => {
      // The kubelet replaces a token long before it expires, and the API server refuses the old one soon after.
      const [token, ca] = await Promise.all([readFile(join(folder, 'token'), 'utf8'), readFile(join(folder, 'ca.crt'), 'utf8')]);
      return {
        headers: { Authorization: `Bearer ${token.trim()}` },
        identity: { ca, cert: undefined, key: undefined, servername: undefined, verify: true },
      };
    },
  };
}
