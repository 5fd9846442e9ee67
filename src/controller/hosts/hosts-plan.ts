/** Resolves the hosts of registries from Services, nodes and KEP-1755. Pure. */
import type { V1ConfigMap, V1Node, V1Service } from '@kubernetes/client-node';
import { parse } from 'yaml';

import type { HostFrom, RewritePolicy } from '../../policy/types.ts';
import { addressProblem, hostOf, type ResolvedHosts } from '../../rules/registries.ts';

export interface HostSources {
  /** Undefined until the watch has its first list, null when the object does not exist. */
  readonly service: (namespace: string, name: string) => V1Service | null | undefined;
  readonly hosting: () => V1ConfigMap | null | undefined;
  readonly nodes: () => readonly V1Node[] | undefined;
}

export interface ResolvedPolicy {
  readonly hosts: ResolvedHosts;
  /** By registry: why its host is not resolved. */
  readonly problems: ReadonlyMap<string, string>;
  /** Registries whose state is not known yet: their last written host is kept. */
  readonly pending: ReadonlySet<string>;
}

type Resolution = { readonly host: string } | { readonly problem: string } | 'pending';

/** https://github.com/kubernetes/enhancements/tree/master/keps/sig-cluster-lifecycle/generic/1755-communicating-a-local-registry */
export const hostingConfigMap = { namespace: 'kube-public', name: 'local-registry-hosting', key: 'localRegistryHosting.v1' } as const;

/** @param previous the hosts written last; a node is kept while it is ready, so that hosts stay stable */
export function resolveHosts(
  { registries }: Pick<RewritePolicy, 'registries'>,
  sources: HostSources,
  previous: ResolvedHosts,
): ResolvedPolicy {
  const hosts: Record<string, string> = {};
  const problems = new Map<string, string>();
  const pending = new Set<string>();
  for (const [registry, { hostFrom }] of Object.entries(registries)) {
    if (hostFrom === undefined) continue;
    const before = Object.hasOwn(previous, registry) ? (hostOf(previous[registry]) ?? undefined) : undefined;
    const resolution = checked(resolve(hostFrom, sources, before));
    if (resolution === 'pending') {
      pending.add(registry);
      if (before !== undefined) hosts[registry] = before;
    } else if ('host' in resolution) hosts[registry] = resolution.host;
    else problems.set(registry, resolution.problem);
  }
  return { hosts, problems, pending };
}

/** `serve` rejects the whole file for one invalid host, so such a host must not be written. */
function checked(resolution: Resolution): Resolution {
  if (resolution === 'pending' || 'problem' in resolution) return resolution;
  const problem = addressProblem(resolution.host);
  return problem === null ? resolution : { problem: `${JSON.stringify(resolution.host)} cannot be used: ${problem}` };
}

function resolve(hostFrom: HostFrom, sources: HostSources, before: string | undefined): Resolution {
  return 'service' in hostFrom ? resolveService(hostFrom.service, sources, before) : resolveHosting(sources.hosting());
}

type ServiceReference = Extract<HostFrom, { readonly service: unknown }>['service'];

function resolveService({ namespace, name, port, via }: ServiceReference, sources: HostSources, before: string | undefined): Resolution {
  const service = sources.service(namespace, name);
  if (service === undefined) return 'pending';
  if (service === null) return { problem: `there is no Service ${namespace}/${name}` };
  const found = service.spec?.ports?.find((candidate) => candidate.name === port || candidate.port === port);
  if (found === undefined) return { problem: `Service ${namespace}/${name} has no port ${port}` };
  if (found.nodePort === undefined)
    return { problem: `port ${port} of Service ${namespace}/${name} has no node port; make the Service of type NodePort` };
  if (via === 'localhost') return { host: `localhost:${found.nodePort}` };
  const nodes = sources.nodes();
  if (nodes === undefined) return 'pending';
  const addresses = nodes.filter(isReady).toSorted(byName).flatMap(internalAddress);
  const hosts = addresses.map((address) => (address.includes(':') ? `[${address}]` : address));
  const host = hosts.find((candidate) => before?.startsWith(`${candidate}:`)) ?? hosts[0];
  return host === undefined ? { problem: 'no node is ready and has an InternalIP' } : { host: `${host}:${found.nodePort}` };
}

/** A cordoned node still serves its node ports. https://kubernetes.io/docs/reference/node/node-status/ */
const isReady = ({ status }: V1Node): boolean =>
  status?.conditions?.some(({ type, status: value }) => type === 'Ready' && value === 'True') === true;
const internalAddress = ({ status }: V1Node): string[] =>
  status?.addresses
    ?.filter(({ type }) => type === 'InternalIP')
    .map(({ address }) => address)
    .slice(0, 1) ?? [];
const byName = (a: V1Node, b: V1Node): number => ((a.metadata?.name ?? '') < (b.metadata?.name ?? '') ? -1 : 1);

function resolveHosting(map: V1ConfigMap | null | undefined): Resolution {
  const { namespace, name, key } = hostingConfigMap;
  if (map === undefined) return 'pending';
  if (map === null) return { problem: `there is no ConfigMap ${namespace}/${name}` };
  const text = map.data?.[key];
  if (text === undefined) return { problem: `ConfigMap ${namespace}/${name} has no key ${key}` };
  const fields = parseMap(text);
  if (fields === null) return { problem: `${key} of ConfigMap ${namespace}/${name} is not a YAML map` };
  // The host for container runtimes has precedence; by default it is the general one.
  const named: unknown[] = [Reflect.get(fields, 'hostFromContainerRuntime'), Reflect.get(fields, 'host')];
  const host = named.find((value) => typeof value === 'string' && value !== '');
  if (typeof host === 'string') return { host };
  return { problem: `${key} of ConfigMap ${namespace}/${name} has neither hostFromContainerRuntime nor host` };
}

function parseMap(text: string): object | null {
  try {
    const value: unknown = parse(text, { maxAliasCount: 0 });
    return typeof value === 'object' && value !== null && !Array.isArray(value) ? value : null;
  } catch {
    return null;
  }
}
