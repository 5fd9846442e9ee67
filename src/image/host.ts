/** Comparison of registry hosts, and the names of Docker Hub. */

/** The default host of names without a host. */
export const dockerHub = 'docker.io';

/** Hub's host in old client configurations. The grammar normalizes it; other spellings of Hub are left as they are. */
export const legacyDockerHub = 'index.docker.io';

/**
 * Whether the first component of a written name is a host and not part of the path: it contains a dot or a port, is `localhost`, or has an
 * upper-case letter, which a path cannot have (https://github.com/distribution/reference/blob/v0.6.0/normalize.go, splitDockerDomain).
 */
export function isHost(component: string): boolean {
  return component === 'localhost' || component.includes('.') || component.includes(':') || component !== component.toLowerCase();
}

/** The host for comparison: case-insensitive (RFC 3986, section 3.2.2), including the port, with one name for Hub. */
export function comparableHost(host: string): string {
  const lower = host.toLowerCase();
  return lower === legacyDockerHub ? dockerHub : lower;
}

/** The host without its port; an IPv6 address keeps its brackets. */
export function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
}

/** Loopback addresses with a port are asked without TLS: IsLocalhost in containerd's core/remotes/docker/resolver.go. */
export function isPlainHttp(host: string): boolean {
  const name = withoutPort(host);
  const isLocal = name === 'localhost' || name.startsWith('127.') || name === '[::1]';
  return isLocal && name !== host && !host.endsWith(':443');
}
