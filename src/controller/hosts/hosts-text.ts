/** The ConfigMap of resolved hosts as text: `hosts.yaml`, which the webhook mounts, and `breakers.yaml`, which only the controller reads. Pure. */
import type { V1ConfigMap } from '@kubernetes/client-node';
import { stringify } from 'yaml';

import { parseResolvedHosts } from '../../config/resolved-hosts.ts';
import { hostOf, type ResolvedHost, type ResolvedHosts } from '../../rules/registries.ts';

/** Keys of the ConfigMap's data. */
export const hostsKey = 'hosts.yaml';
export const breakersKey = 'breakers.yaml';

/** Text of hosts.yaml: equal hosts give equal text. */
export function hostsText(hosts: ResolvedHosts): string {
  const sorted = Object.entries(hosts).toSorted(([a], [b]) => (a < b ? -1 : 1));
  return sorted.length === 0 ? '{}\n' : stringify(Object.fromEntries(sorted));
}

/** Hosts in a ConfigMap; none when its content is invalid, since it is then written again. */
export function hostsOf(map: V1ConfigMap | undefined): ResolvedHosts {
  return parseResolvedHosts(map?.data?.[hostsKey] ?? '', hostsKey).hosts;
}

/** The hosts, with the registries that are unavailable. */
export function withUnavailable(hosts: ResolvedHosts, unavailable: ReadonlySet<string>): ResolvedHosts {
  const names = new Set([...Object.keys(hosts), ...unavailable]);
  const entries = [...names].flatMap((name): [string, ResolvedHost][] => {
    const host = Object.hasOwn(hosts, name) ? hostOf(hosts[name]) : null;
    if (unavailable.has(name)) return [[name, { ...(host !== null && { host }), unavailable: true }]];
    return host === null ? [] : [[name, host]];
  });
  return Object.fromEntries(entries);
}
