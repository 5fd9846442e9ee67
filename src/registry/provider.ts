/** From the `credentials` of a registry in the policy to the cloud that gives them. */
import type { CredentialsPolicy } from '../policy/types.ts';
import { acrProvider } from './acr.ts';
import type { CredentialProvider } from './credentials.ts';
import { ecrProvider } from './ecr.ts';
import { CredentialError } from './errors.ts';
import { garProvider } from './gar.ts';

/** What the policy calls a cloud. */
export type CloudName = CloudCredentialsPolicy['provider'];

export type CloudCredentialsPolicy = Extract<CredentialsPolicy, { readonly provider: string }>;

/**
 * @param host of the registry, with or without a path
 * @throws CredentialError when the cloud needs a host and the registry has none
 */
export function cloudProvider(policy: CloudCredentialsPolicy, host: string | undefined): CredentialProvider {
  if (policy.provider === 'ecr') return ecrProvider({ ...policy, host });
  if (host === undefined)
    throw new CredentialError(
      'CREDENTIAL_INVALID',
      `credentials of provider ${policy.provider} are for the registry's \`host\`, and it has none; write it into the policy`,
    );
  return policy.provider === 'gar' ? garProvider({ host }) : acrProvider({ host, tenantId: policy.tenantId });
}
