/** Writes the docker config of a pull secret. */
import { dockerHub } from '../image/host.ts';
import { hostOfAddress, type HostCredential, type RegistryCredential } from './credentials.ts';
import { CredentialError } from './errors.ts';

/** The key that every client of Docker Hub looks up; the kubelet also accepts `docker.io`, older tools do not. */
const dockerHubKey = 'https://index.docker.io/v1/';

/**
 * The text of a kubernetes.io/dockerconfigjson Secret. It does not depend on the order of the entries, so that an unchanged Secret is not
 * written again; of two entries for a host the later one wins.
 *
 * Keys are hosts without a path: a kubelet matches a key with a path only against images below it, and the path of a policy's host
 * (harbor.example.com/mirror) says where images are, not where the password is valid.
 *
 * @throws CredentialError for an entry that could not be read back unchanged
 */
export function dockerConfigJson(entries: readonly HostCredential[]): string {
  const auths = new Map<string, object>();
  for (const { host, credential } of entries) auths.set(keyOf(host), authOf(host, credential));
  const sorted = [...auths].toSorted(([a], [b]) => (a < b ? -1 : 1));
  return JSON.stringify({ auths: Object.fromEntries(sorted) });
}

function keyOf(address: string): string {
  const host = hostOfAddress(address);
  if (host === '')
    throw new CredentialError('CREDENTIAL_INVALID', `the host ${JSON.stringify(address)} of a credential is empty`, 'name a registry');
  return host === dockerHub ? dockerHubKey : host;
}

function authOf(host: string, { username, password }: RegistryCredential): object {
  // `auth` is user:password, split at the first colon (RFC 7617, section 2); a kubelet prefers it to the two other fields.
  if (username === '' || username.includes(':'))
    throw new CredentialError('CREDENTIAL_INVALID', `the user name for ${host} is empty or has a colon, which a docker config cannot hold`);
  return { username, password, auth: Buffer.from(`${username}:${password}`).toString('base64') };
}
