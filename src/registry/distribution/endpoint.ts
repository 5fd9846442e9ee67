/** Where the API of a registry is, as containerd finds it for an image without other configuration. Pure. */
import { dockerHub, legacyDockerHub, withoutPort } from '../../image/host.ts';
import type { Reference } from '../../image/reference.ts';

/** https://docs.docker.com/reference/api/registry/latest/ */
const dockerHubEndpoint = 'registry-1.docker.io';

/**
 * The origin of a registry. Plain HTTP for a loopback host with a port other than 443, as containerd has it; HTTPS for all others.
 * https://github.com/containerd/containerd/blob/v2.1.0/core/remotes/docker/config/hosts.go
 *
 * @param host with its port, as in the name of an image
 */
export function registryOrigin(host: string): string {
  const name = host.toLowerCase();
  if (name === dockerHub || name === legacyDockerHub) return `https://${dockerHubEndpoint}`;
  const port = name.slice(withoutPort(name).length + 1);
  return `${isLoopback(withoutPort(name)) && port !== '' && port !== '443' ? 'http' : 'https'}://${name}`;
}

/** @param host without its port: `localhost`, an IPv4 address, or an IPv6 address in brackets */
export function isLoopback(host: string): boolean {
  return host === 'localhost' || host === '[::1]' || /^127(?:\.\d{1,3}){3}$/.test(host);
}

/** Tag or digest of a manifest; a digest counts more than a tag, and without both it is `latest`, as for the kubelet. */
export function manifestOf({ tag, digest }: Reference): string {
  return digest ?? tag ?? 'latest';
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#pulling-manifests */
export function manifestUrl(origin: string, reference: Reference): URL {
  return new URL(`/v2/${reference.path}/manifests/${manifestOf(reference)}`, origin);
}

/** https://github.com/opencontainers/distribution-spec/blob/v1.1.1/spec.md#determining-support */
export function baseUrl(origin: string): URL {
  return new URL('/v2/', origin);
}
