/**
 * What a kubelet reads from a pull secret.
 * https://github.com/kubernetes/kubernetes/blob/v1.36.3/pkg/credentialprovider/config.go and secrets/secrets.go
 */
import { JsonMembers, parseMembers, type JsonValue } from './json-members.ts';

/** https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets */
export const dockerConfigType = 'kubernetes.io/dockerconfigjson';
export const dockerConfigKey = '.dockerconfigjson';
export const legacyDockerConfigType = 'kubernetes.io/dockercfg';
export const legacyDockerConfigKey = '.dockercfg';

/** The fields of a Secret that are read; values are base64. */
export interface SecretContent {
  readonly type?: string | undefined;
  readonly data?: Readonly<Record<string, string>> | undefined;
}

export interface PullSecretEntry {
  /** Key in the docker config: a host, possibly with a scheme or a path. */
  readonly address: string;
  /** Empty when the entry has none. */
  readonly username: string;
  /** Empty when the entry has none. */
  readonly password: string;
}

export type PullSecretReading =
  | { readonly result: 'read'; readonly entries: readonly PullSecretEntry[] }
  /** The kubelet ignores the Secret: another type, or no docker config in it. */
  | { readonly result: 'ignored'; readonly problem: string }
  /** The kubelet fails the pull, whatever the pod's other pull secrets contain. The problem quotes no content. */
  | { readonly result: 'unreadable'; readonly problem: string };

const keys: Readonly<Record<string, string>> = { [dockerConfigType]: dockerConfigKey, [legacyDockerConfigType]: legacyDockerConfigKey };

export function readPullSecret({ type = 'Opaque', data = {} }: SecretContent): PullSecretReading {
  const key = Object.hasOwn(keys, type) ? keys[type] : undefined;
  if (key === undefined) return { result: 'ignored', problem: `has the type ${type} and not ${dockerConfigType}` };
  const encoded = Object.hasOwn(data, key) ? data[key] : undefined;
  if (encoded === undefined || encoded === '') return { result: 'ignored', problem: `has no key ${key}` };
  try {
    const config = parseMembers(Buffer.from(encoded, 'base64').toString('utf8'));
    return { result: 'read', entries: key === dockerConfigKey ? entriesOfConfig(config) : entriesOfAuths([config], key) };
  } catch (error) {
    const problem = error instanceof Unreadable ? error.message : 'is not JSON';
    return { result: 'unreadable', problem: `has a ${key} that ${problem}` };
  }
}

/** The message continues "has a .dockerconfigjson that …". */
class Unreadable extends Error {}

function entriesOfConfig(config: JsonValue): PullSecretEntry[] {
  if (config === null) return [];
  if (!(config instanceof JsonMembers)) throw new Unreadable('is not a JSON object');
  for (const headers of config.values('HttpHeaders')) checkHeaders(headers);
  return entriesOfAuths(config.values('auths'), 'auths');
}

/** @param maps values of the same field: Go merges the members of a later one into those of an earlier one */
function entriesOfAuths(maps: readonly JsonValue[], what: string): PullSecretEntry[] {
  let entries = new Map<string, PullSecretEntry>();
  for (const map of maps) {
    if (map === null) {
      entries = new Map();
    } else if (map instanceof JsonMembers) {
      for (const [address, value] of map.entries) entries.set(address, entryOf(address, value));
    } else {
      throw new Unreadable(`has ${what} that is not an object { HOST: { "username": …, "password": … } }`);
    }
  }
  return [...entries.values()];
}

function entryOf(address: string, value: JsonValue): PullSecretEntry {
  if (value === null) return { address, username: '', password: '' };
  const where = `auths[${JSON.stringify(address)}]`;
  if (!(value instanceof JsonMembers)) throw new Unreadable(`has ${where} that is not an object`);
  const [username = '', password = '', , auth = ''] = ['username', 'password', 'email', 'auth'].map((field) =>
    textOf(value.values(field), `${where}.${field}`),
  );
  return auth === '' ? { address, username, password } : { address, ...decodeAuth(auth, where) };
}

/** The last text; null does not change the value. */
function textOf(values: readonly JsonValue[], where: string): string {
  let text = '';
  for (const value of values) {
    if (typeof value === 'string') text = value;
    else if (value !== null) throw new Unreadable(`has ${where} that is not a string`);
  }
  return text;
}

const paddedBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;
const unpaddedBase64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2,3})?$/;

/** Go's base64 ignores line breaks and nothing else, and does not accept the URL alphabet. https://pkg.go.dev/encoding/base64 */
function decodeAuth(auth: string, where: string): Pick<PullSecretEntry, 'username' | 'password'> {
  const encoded = auth.replaceAll(/[\r\n]/g, '');
  const isBase64 = (encoded.endsWith('=') ? paddedBase64 : unpaddedBase64).test(encoded);
  const decoded = Buffer.from(encoded, 'base64').toString('utf8');
  const colon = decoded.indexOf(':');
  if (!isBase64 || colon === -1) throw new Unreadable(`has ${where}.auth that is not base64 of user:password`);
  return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1) };
}

function checkHeaders(headers: JsonValue): void {
  if (headers === null) return;
  const isMapOfText = headers instanceof JsonMembers && headers.entries.every(([, value]) => value === null || typeof value === 'string');
  if (!isMapOfText) throw new Unreadable('has HttpHeaders that is not an object of strings');
}
