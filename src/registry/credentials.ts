/** What opens a registry: a user and a password for a host, and where they come from. */
import { comparableHost } from '../image/host.ts';

export interface RegistryCredential {
  readonly username: string;
  readonly password: string;
  /** When the registry stops accepting it; null when that is not known. */
  readonly expiresAt: Date | null;
}

export interface HostCredential {
  /** As in an image name: no scheme and no path, a port when it is not 443. */
  readonly host: string;
  readonly credential: RegistryCredential;
}

export interface CredentialProvider {
  /** For logs and metrics, as `credentials.provider` in the policy. */
  readonly name: string;
  /**
   * Asks for new credentials, for at least one host. Settles soon after the signal is aborted.
   *
   * @throws CredentialError
   */
  readonly fetch: (signal: AbortSignal) => Promise<readonly HostCredential[]>;
}

/** The host of an address as it stands in a policy or in a docker config: without scheme and path, in lower case, with its port. */
export function hostOfAddress(address: string): string {
  const [host = ''] = address.replace(/^[a-z]+:\/\//i, '').split('/');
  return comparableHost(host);
}
