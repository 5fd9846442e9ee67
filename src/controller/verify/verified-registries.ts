/** The registries with `verify: true`: which images are in them, and where their API is. Pure. */
import { withoutPort } from '../../image/host.ts';
import type { Reference } from '../../image/reference.ts';
import type { HostFrom, RegistryPolicy } from '../../policy/types.ts';
import { isLoopback, registryOrigin } from '../../registry/distribution/endpoint.ts';
import type { CompiledPolicy } from '../../rules/compile.ts';
import { isUnder, repositoryPrefix, type RepositoryPrefix } from '../../rules/registries.ts';

export interface VerifiedRegistry {
  readonly name: string;
  readonly policy: RegistryPolicy;
  /** Null while its host is not resolved. */
  readonly prefix: RepositoryPrefix | null;
  /** Of its API; null while its host is not resolved. */
  readonly origin: string | null;
}

export function verifiedRegistries({ policy, registries }: Pick<CompiledPolicy, 'policy' | 'registries'>): VerifiedRegistry[] {
  return Object.entries(policy.registries).flatMap(([name, registry]) => {
    if (!registry.verify) return [];
    const address = registries.get(name)?.address ?? null;
    const prefix = address === null ? null : repositoryPrefix(address);
    return [{ name, policy: registry, prefix, origin: prefix === null ? null : originOf(prefix.host, registry.hostFrom) }];
  });
}

/**
 * `localhost` of a node is not that of the controller's pod: behind it is the Service, which answers in plain HTTP, as nodes speak to
 * `localhost`. The number of a port that the policy has by name is not known here.
 */
function originOf(host: string, hostFrom: HostFrom | undefined): string {
  if (hostFrom === undefined || !('service' in hostFrom) || !isLoopback(withoutPort(host))) return registryOrigin(host);
  const { namespace, name, port } = hostFrom.service;
  return typeof port === 'number' ? `http://${name}.${namespace}.svc:${port}` : registryOrigin(host);
}

/** Of several, the one with the longest path: one may be below another. */
export function registryOf(registries: readonly VerifiedRegistry[], reference: Reference): VerifiedRegistry | null {
  const found = registries.filter(({ prefix }) => prefix !== null && isUnder(prefix, reference));
  return found.toSorted((a, b) => (b.prefix?.path.length ?? 0) - (a.prefix?.path.length ?? 0))[0] ?? null;
}
