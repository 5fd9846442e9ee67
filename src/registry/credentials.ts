/** Credentials of a registry: user name and password for a host, and their provider. */
import { comparableHost } from '../image/host.ts';

export interface RegistryCredential {
  readonly username: string;
  readonly password: string;
  /** Expiry; null when unknown. */
  readonly expiresAt: Date | null;
}

export interface HostCredential {
  /** As in an image name: no scheme, no path, and a port unless it is 443. */
  readonly host: string;
  readonly credential: RegistryCredential;
}

export interface CredentialProvider {
  /** For logs and metrics; `credentials.provider` in the policy. */
  readonly name: string;
  /**
   * Requests new credentials, for at least one host. Settles soon after the signal is aborted.
   *
   * @throws CredentialError
   */
  readonly fetch: (signal: AbortSignal) => Promise<readonly HostCredential[]>;
}

/** The host of an address in a policy or a docker config: no scheme or path, lower case, with its port. */
export function hostOfAddress(address: string): string {
  const [host = ''] = address.replace(/^[a-z]+:\/\//i, '').split('/');
  return comparableHost(host);
}
