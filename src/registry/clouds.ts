/** All supported clouds. A new one needs a file of its own, a line here, and its settings in the policy's schema. */
import { acr } from './acr.ts';
import type { Cloud, CloudCredentialsPolicy, CloudName } from './cloud.ts';
import type { CredentialProvider } from './credentials.ts';
import { ecr } from './ecr.ts';
import { gar } from './gar.ts';

const clouds: { readonly [Name in CloudName]: Cloud<Name> } = { ecr, gar, acr };

/** What the policy calls them. */
export const cloudNames: readonly string[] = Object.keys(clouds);

/**
 * @param host of the registry, with or without a path
 * @throws CredentialError when the cloud requires a host and the registry has none
 */
export function createCloudProvider(settings: CloudCredentialsPolicy, host: string | undefined): CredentialProvider {
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the type of `clouds` gives each name the cloud of its settings
  const create = clouds[settings.provider] as Cloud<typeof settings.provider>;
  return create(settings, host);
}
