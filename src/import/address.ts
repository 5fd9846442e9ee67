/** Addresses of registries as other programs write them. */
import { dockerHub } from '../image/host.ts';
import { addressProblem } from '../rules/registries.ts';
import type { DraftTarget } from './draft.ts';

export interface Address {
  readonly host: string;
  /** Without slashes at its ends, empty for none. */
  readonly path: string;
}

/** Names of Docker Hub's API. */
const hubAddresses: ReadonlySet<string> = new Set(['registry-1.docker.io', 'index.docker.io', dockerHub]);

/** `host[:port][/path]`, or what is wrong with it. */
export function readAddress(text: string): Address | string {
  const trimmed = text.replace(/\/+$/, '');
  const problem = addressProblem(trimmed);
  if (problem !== null) return `${text}: ${problem}`;
  const slash = trimmed.indexOf('/');
  return slash === -1 ? { host: trimmed, path: '' } : { host: trimmed.slice(0, slash), path: trimmed.slice(slash + 1) };
}

export interface Endpoint extends Address {
  readonly isPlainHttp: boolean;
}

/**
 * The URL of a registry's API. Images have names of it only where its path begins with /v2, or is none.
 *
 * @param isWhole whether the path is taken as it is (`override_path`); else `/v2` is added where it does not end with it
 */
export function readEndpoint(url: string, isWhole: boolean): Endpoint | string {
  const text = url.startsWith('http') ? url : `https://${url}`;
  if (!URL.canParse(text)) return `${url} is not a URL`;
  const { protocol, host, pathname } = new URL(text);
  const path = pathname.replaceAll(/\/+/g, '/').replace(/\/$/, '');
  const whole = isWhole || path.endsWith('/v2') ? path : `${path}/v2`;
  if (whole !== '/v2' && !whole.startsWith('/v2/')) return `${url}: no image has a name there, because its path does not begin with /v2`;
  const address = readAddress((hubAddresses.has(host) ? dockerHub : host) + whole.slice('/v2'.length));
  return typeof address === 'string' ? address : { ...address, isPlainHttp: protocol === 'http:' };
}

export function pathTarget({ host, path }: Address): DraftTarget {
  return { as: 'path', host, prefix: path };
}
