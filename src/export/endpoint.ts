/** A registry as containerd asks it: the address of its API, with the path that the path of the image follows. */
import { dockerHub, isPlainHttp } from '../image/host.ts';
import type { Name } from './name.ts';

/** The address of Docker Hub's API: DefaultHost in containerd's core/remotes/docker/resolver.go. */
const dockerHubAddress = 'registry-1.docker.io';

export function endpointOf([host = '', ...path]: Name): string {
  return [addressOf(host), 'v2', ...path].join('/');
}

/** With its scheme. @param port added to a host without one */
export function addressOf(host: string, port = ''): string {
  const address = host === dockerHub ? dockerHubAddress : host;
  return `${isPlainHttp(host) ? 'http' : 'https'}://${address}${port}`;
}
