/** What makes two registry hosts the same, and what Docker Hub is called. */

/** The host that a name without a host means. */
export const dockerHub = 'docker.io';

/** Hub's host in old client configurations. The grammar folds it, other spellings of Hub it leaves alone. */
export const legacyDockerHub = 'index.docker.io';

/**
 * Whether the first component of a written name is a host and not the first part of a path: it has a dot or a port, is
 * `localhost`, or has an upper-case letter, which a path cannot have
 * (https://github.com/distribution/reference/blob/v0.6.0/normalize.go, splitDockerDomain).
 */
export function isHost(component: string): boolean {
  return component === 'localhost' || component.includes('.') || component.includes(':') || component !== component.toLowerCase();
}

/** The form in which hosts are compared: case does not count (RFC 3986, section 3.2.2), the port does, Hub has one name. */
export function comparableHost(host: string): string {
  const lower = host.toLowerCase();
  return lower === legacyDockerHub ? dockerHub : lower;
}

/** The host without its port; an IPv6 address keeps its brackets. */
export function withoutPort(host: string): string {
  const colon = host.lastIndexOf(':');
  return colon > host.lastIndexOf(']') ? host.slice(0, colon) : host;
}
