/** Address of the API server and credentials for it. This file: the pod's service account. */
import { existsSync, readFileSync } from 'node:fs';
import { readFile } from 'node:fs/promises';
import { isIPv6 } from 'node:net';
import { join } from 'node:path';

import { OperatorError } from '../errors/operator-error.ts';
import type { ConnectionIdentity } from './shared-dispatcher.ts';

export interface Credentials {
  /** `https://host:port`, optionally with a path; no trailing slash. */
  readonly server: string;
  /** Of whatever names none, as kubectl chooses. */
  readonly namespace: string;
  /** Called for every request, since the files may change. Rejects when they cannot be read. */
  current(): Promise<{ readonly headers: Readonly<Record<string, string>>; readonly identity: ConnectionIdentity }>;
}

/** The configuration names no usable API server. */
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
    namespace: namespaceIn(folder),
    current: async () => {
      // The kubelet replaces a token long before it expires, and the API server rejects the old one soon afterwards.
      const [token, ca] = await Promise.all([readFile(join(folder, 'token'), 'utf8'), readFile(join(folder, 'ca.crt'), 'utf8')]);
      return {
        headers: { Authorization: `Bearer ${token.trim()}` },
        identity: { ca, cert: undefined, key: undefined, servername: undefined, verify: true, proxy: undefined },
      };
    },
  };
}

/** A pod without a projected namespace file still has a token. */
function namespaceIn(folder: string): string {
  const file = join(folder, 'namespace');
  return existsSync(file) ? readFileSync(file, 'utf8').trim() : 'default';
}
