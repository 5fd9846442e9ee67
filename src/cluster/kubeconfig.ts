/** Credentials from a kubeconfig file, with every login method that the client library supports. */
import { KubeConfig } from '@kubernetes/client-node';
import type { RequestOptions } from 'node:https';

import { unreadableReason } from '../errors/system-error.ts';
import { describeError, errorCode } from './api-error.ts';
import { ClusterConfigError, type Credentials } from './credentials.ts';

/**
 * @param file default: `$KUBECONFIG`, then `~/.kube/config`
 * @param context default: the current one
 * @throws ClusterConfigError
 */
export function kubeconfigCredentials(file?: string, context?: string): Credentials {
  const kubeconfig = load(file, context);
  const proxy = proxyOf(kubeconfig);
  return {
    server: serverOf(kubeconfig, file),
    namespace: kubeconfig.getContextObject(kubeconfig.getCurrentContext())?.namespace ?? 'default',
    current: async () => {
      const options: RequestOptions = {};
      // The library reads its files for every call, a token file once a minute, and runs the login command again when its token expires.
      await applyCredentials(kubeconfig, options);
      const { ca, cert, key, servername, rejectUnauthorized, auth } = options;
      const headers: Record<string, string> = {};
      for (const [name, value] of Object.entries(options.headers ?? {})) headers[name] = String(value).trim();
      if (typeof auth === 'string') headers['Authorization'] = `Basic ${Buffer.from(auth).toString('base64')}`;
      return {
        headers,
        identity: { ca: textOf(ca), cert: textOf(cert), key: textOf(key), servername, verify: rejectUnauthorized !== false, proxy },
      };
    },
  };
}

/** @throws ClusterConfigError when a file that the kubeconfig names is missing, or its login command fails */
async function applyCredentials(kubeconfig: KubeConfig, options: RequestOptions): Promise<void> {
  try {
    await kubeconfig.applyToHTTPSOptions(options);
  } catch (cause) {
    const user = kubeconfig.getCurrentUser()?.name ?? '';
    const remedy = 'check that `kubectl version` works with the same kubeconfig and context';
    throw new ClusterConfigError(
      `the credentials of user ${user} in the kubeconfig cannot be used: ${describeError(cause)}`,
      remedy,
      cause,
    );
  }
}

function load(file: string | undefined, context: string | undefined): KubeConfig {
  const kubeconfig = new KubeConfig();
  try {
    if (file === undefined) kubeconfig.loadFromDefault();
    else kubeconfig.loadFromFile(file);
  } catch (cause) {
    const reason = errorCode(cause) === null ? 'it is not a kubeconfig' : unreadableReason(cause);
    const name = file ?? `the kubeconfig ${process.env['KUBECONFIG'] ?? '~/.kube/config'}`;
    throw new ClusterConfigError(`${name} cannot be read: ${reason}`, 'name one that kubectl accepts', cause);
  }
  if (context !== undefined) choose(kubeconfig, context);
  checkUser(kubeconfig);
  return kubeconfig;
}

function choose(kubeconfig: KubeConfig, context: string): void {
  const names = kubeconfig.getContexts().map(({ name }) => name);
  if (!names.includes(context))
    throw new ClusterConfigError(`the kubeconfig has no context ${context}`, `it has ${names.length === 0 ? 'none' : names.join(', ')}`);
  kubeconfig.setCurrentContext(context);
}

/** Without a user the library applies nothing of the kubeconfig, the CA neither. */
function checkUser(kubeconfig: KubeConfig): void {
  const context = kubeconfig.getContextObject(kubeconfig.getCurrentContext());
  if (!context?.user || kubeconfig.getUser(context.user) !== null) return;
  const names = kubeconfig.getUsers().map(({ name }) => name);
  throw new ClusterConfigError(
    `the kubeconfig has no user ${context.user}, which context ${context.name} names`,
    `it has ${names.length === 0 ? 'none' : names.join(', ')}`,
  );
}

function serverOf(kubeconfig: KubeConfig, file: string | undefined): string {
  const cluster = kubeconfig.getCurrentCluster();
  // Without a configuration the library falls back to plain HTTP on localhost, where a token must never be sent.
  if (cluster === null || !cluster.server.startsWith('https://')) {
    if (file !== undefined)
      throw new ClusterConfigError(
        `${file} names no Kubernetes API server with an https address`,
        'name a kubeconfig that kubectl accepts',
      );
    throw new ClusterConfigError(
      'no Kubernetes API server with an https address is configured',
      'name a kubeconfig, or run in a pod with its service account token mounted',
    );
  }
  return cluster.server.replace(/\/+$/, '');
}

/** https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/#proxy */
function proxyOf(kubeconfig: KubeConfig): string | undefined {
  const cluster = kubeconfig.getCurrentCluster();
  const proxy = cluster?.proxyUrl;
  if (proxy === undefined || /^(?:https?|socks5):\/\//.test(proxy)) return proxy;
  throw new ClusterConfigError(
    `cluster ${cluster?.name}: proxy-url ${proxy} is not supported`,
    'it begins with http://, https:// or socks5://',
  );
}

const textOf = (pem: unknown): string | undefined => (typeof pem === 'string' || Buffer.isBuffer(pem) ? pem.toString() : undefined);
