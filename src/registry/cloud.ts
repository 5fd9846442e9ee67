/** A cloud whose registry accepts short-lived tokens as passwords. */
import type { CredentialsPolicy } from '../policy/types.ts';
import type { CredentialProvider } from './credentials.ts';
import { CredentialError } from './errors.ts';

export type CloudCredentialsPolicy = Extract<CredentialsPolicy, { readonly provider: string }>;

/** `credentials.provider` in the policy. */
export type CloudName = CloudCredentialsPolicy['provider'];

/**
 * Creates the provider of a registry's credentials.
 *
 * @param host of the registry, with or without a path; undefined when the policy has none
 * @throws CredentialError when the cloud requires a host and there is none
 */
export type Cloud<Name extends CloudName> = (
  settings: Extract<CloudCredentialsPolicy, { readonly provider: Name }>,
  host: string | undefined,
) => CredentialProvider;

/** @throws CredentialError */
export function requireHost(cloud: CloudName, host: string | undefined): string {
  if (host !== undefined) return host;
  throw new CredentialError(
    'CREDENTIAL_INVALID',
    `credentials of provider ${cloud} are for the registry's \`host\`, and it has none`,
    'write it into the policy',
  );
}
