/** What opens a registry: a user and a password for a host, where they come from, and the Secret that carries them to a kubelet. */
import { comparableHost, dockerHub } from '../image/host.ts';
import { CredentialError } from './errors.ts';

export interface RegistryCredential {
  readonly username: string;
  readonly password: string;
  /** When the registry stops to accept it; null when that is not known. */
  readonly expiresAt: Date | null;
}

export interface HostCredential {
  /** As in an image name: no scheme and no path, a port when it is not 443. */
  readonly host: string;
  readonly credential: RegistryCredential;
}

export interface CredentialProvider {
  /** For logs and metrics: ecr, gar, acr. */
  readonly name: string;
  /**
   * Asks for new credentials, for at least one host. Settles soon after the signal is aborted.
   *
   * @throws CredentialError
   */
  readonly fetch: (signal: AbortSignal) => Promise<readonly HostCredential[]>;
}

/** https://kubernetes.io/docs/concepts/configuration/secret/#docker-config-secrets */
export const dockerConfigType = 'kubernetes.io/dockerconfigjson';
export const dockerConfigKey = '.dockerconfigjson';

/** The key that every client of Docker Hub looks for; the kubelet takes `docker.io` for it as well, older tools do not. */
const dockerHubKey = 'https://index.docker.io/v1/';

/** The fields of a Secret that matter here, as the API server sends them: values are base64. */
export interface SecretContent {
  readonly type?: string | undefined;
  readonly data?: Readonly<Record<string, string>> | undefined;
}

/** The host of an address as it stands in a policy or in a docker config: scheme, path and case dropped, the port kept. */
export function hostOfAddress(address: string): string {
  const [host = ''] = address.replace(/^[a-z]+:\/\//i, '').split('/');
  return comparableHost(host);
}

/**
 * The text of a kubernetes.io/dockerconfigjson Secret. The same entries give the same text whatever their order, so that an
 * unchanged Secret is not written again; of two entries for a host the later one counts.
 *
 * Keys are hosts alone: a kubelet matches a key with a path only against images below it, and a policy's path
 * (harbor.example.com/mirror) says where images are put, not what the password is for.
 *
 * @throws CredentialError for an entry that would not be read back as it was written
 */
export function dockerConfigJson(entries: readonly HostCredential[]): string {
  const auths = new Map<string, object>();
  for (const { host, credential } of entries) auths.set(keyOf(host), authOf(host, credential));
  const sorted = [...auths].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ auths: Object.fromEntries(sorted) });
}

/**
 * The credentials in a Secret of that type. Entries without any (docker leaves them behind for a credential store) are passed
 * over; two paths of one host give two entries.
 *
 * @param name how messages call the Secret: namespace/name
 * @throws CredentialError that says what is wrong without quoting the content
 */
export function readDockerConfigSecret(name: string, { type, data }: SecretContent): HostCredential[] {
  if (type !== dockerConfigType) {
    throw new CredentialError(
      'SECRET_TYPE',
      `Secret ${name} has the type ${type ?? 'Opaque'}; make it with \`kubectl create secret docker-registry\`, which gives it ${dockerConfigType}`,
    );
  }
  const auths = authsOf(name, data?.[dockerConfigKey]);
  const entries = Object.entries(auths).flatMap(([key, value]) => {
    const credential = credentialOf(name, key, value);
    return credential === null ? [] : [{ host: hostOfAddress(key), credential }];
  });
  if (entries.length > 0) return entries;
  throw new CredentialError(
    'SECRET_WITHOUT_AUTHS',
    `Secret ${name} has no password in its auths; a docker config that points to a credential store cannot be used, make the Secret with \`kubectl create secret docker-registry\``,
  );
}

function keyOf(address: string): string {
  const host = hostOfAddress(address);
  if (host === '')
    throw new CredentialError(
      'CREDENTIAL_INVALID',
      `a credential is for the host ${JSON.stringify(address)}, which is none; name a registry`,
    );
  return host === dockerHub ? dockerHubKey : host;
}

function authOf(host: string, { username, password }: RegistryCredential): object {
  // `auth` is user:password, split at the first colon (RFC 7617, section 2), and it wins over the two other fields in a kubelet.
  if (username === '' || username.includes(':'))
    throw new CredentialError('CREDENTIAL_INVALID', `the user name for ${host} is empty or has a colon, which a docker config cannot hold`);
  return { username, password, auth: Buffer.from(`${username}:${password}`).toString('base64') };
}

function authsOf(name: string, encoded: string | undefined): object {
  if (encoded === undefined) throw new CredentialError('SECRET_UNREADABLE', `Secret ${name} has no key ${dockerConfigKey}`);
  const config = parseObject(Buffer.from(encoded, 'base64').toString('utf8'));
  if (config === null) throw new CredentialError('SECRET_UNREADABLE', `${dockerConfigKey} of Secret ${name} is not a JSON object`);
  const auths: unknown = Reflect.get(config, 'auths');
  if (!isObject(auths))
    throw new CredentialError(
      'SECRET_WITHOUT_AUTHS',
      `${dockerConfigKey} of Secret ${name} has no map \`auths\`; it must be { "auths": { HOST: { "username": …, "password": … } } }`,
    );
  return auths;
}

/** `auth` first, as the kubelet does. */
function credentialOf(name: string, key: string, value: unknown): RegistryCredential | null {
  const invalid = (problem: string): CredentialError =>
    new CredentialError('CREDENTIAL_INVALID', `auths[${JSON.stringify(key)}] of Secret ${name} ${problem}`);
  if (!isObject(value)) throw invalid('is not a map');
  const [auth, username, password] = ['auth', 'username', 'password'].map((field): unknown => Reflect.get(value, field));
  if (typeof auth === 'string' && auth !== '') {
    const decoded = Buffer.from(auth, 'base64').toString('utf8');
    const colon = decoded.indexOf(':');
    if (colon < 1) throw invalid('has an `auth` that is not base64 of user:password');
    return { username: decoded.slice(0, colon), password: decoded.slice(colon + 1), expiresAt: null };
  }
  if (typeof username !== 'string' || username === '') return null;
  if (typeof password !== 'string') throw invalid('has a `username` and no `password`');
  return { username, password, expiresAt: null };
}

function parseObject(text: string): object | null {
  try {
    const value: unknown = JSON.parse(text);
    return isObject(value) ? value : null;
  } catch {
    return null;
  }
}

function isObject(value: unknown): value is object {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
