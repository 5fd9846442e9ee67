/** The registries of a policy with their hosts resolved, and which of them an image is in. */
import type { RegistryPolicy } from '../policy/types.ts';
import { comparableHost, isHost } from '../image/host.ts';
import { parseReference, type Reference } from '../image/reference.ts';

export interface Registry {
  readonly name: string;
  /** Host and path as written, null while `hostFrom` is not resolved and there is no `host`. */
  readonly address: string | null;
  /** Whether the host is resolved in the cluster, and it is not known here to what: the address is the one until then. */
  readonly awaitsHost: boolean;
  /** Whether nodes do not reach it: images go to another target of their rule first. */
  readonly isUnavailable: boolean;
  readonly pullSecrets: readonly string[];
}

/** Host and repository path that images are under. An empty path is the whole host. */
export interface RepositoryPrefix {
  readonly host: string;
  readonly path: string;
}

/** What the controller found out about a registry: its host, and that nodes do not reach it. */
export type ResolvedHost = string | { readonly host?: string | undefined; readonly unavailable: true };

/** By the name of the registry. */
export type ResolvedHosts = Readonly<Record<string, ResolvedHost>>;

/** Null where only the policy has a host. */
export function hostOf(resolved: ResolvedHost | undefined): string | null {
  return (typeof resolved === 'object' ? resolved.host : resolved) ?? null;
}

export function resolveRegistry(name: string, policy: RegistryPolicy, hosts: ResolvedHosts): Registry {
  const resolved = Object.hasOwn(hosts, name) ? hosts[name] : undefined;
  const host = policy.hostFrom === undefined ? null : hostOf(resolved);
  const awaitsHost = policy.hostFrom !== undefined && host === null;
  return {
    name,
    address: host ?? policy.host ?? null,
    awaitsHost,
    isUnavailable: typeof resolved === 'object',
    pullSecrets: policy.pullSecrets,
  };
}

/** What is wrong with an address such as `localhost:5000` or `harbor.example.com/mirror`; null when nothing is. */
export function addressProblem(address: string): string | null {
  if (address.includes('://')) return `write the host without a scheme: ${address.slice(address.indexOf('://') + 3)}`;
  if (address.endsWith('/')) return `write it without the slash at its end: ${address.replace(/\/+$/, '')}`;
  const first = address.split('/', 1)[0] ?? '';
  if (!isHost(first)) return `${first} looks like a path: a host has a dot or a port, or is localhost`;
  const parsed = parseReference(`${address}/a/b`);
  return parsed.ok ? null : `it is not a host, or a host and a path: ${parsed.problem}`;
}

/** The address as a prefix; no Docker Hub `library/` is added, since it is not an image. */
export function repositoryPrefix(address: string): RepositoryPrefix {
  const slash = address.indexOf('/');
  const host = slash === -1 ? address : address.slice(0, slash);
  return { host: comparableHost(host), path: slash === -1 ? '' : address.slice(slash + 1) };
}

/** Whether the image is the prefix itself or below it, by component. */
export function isUnder(prefix: RepositoryPrefix, reference: Reference): boolean {
  if (prefix.host !== reference.comparableHost) return false;
  if (prefix.path === '' || prefix.path === reference.path) return true;
  return reference.path.startsWith(prefix.path) && reference.path[prefix.path.length] === '/';
}
