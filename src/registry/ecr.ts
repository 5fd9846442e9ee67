/**
 * Amazon ECR: a token valid for 12 hours, with the identity that the SDK finds (pod identity, IRSA, the node's role).
 * https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html
 */
import type { AuthorizationData } from '@aws-sdk/client-ecr';
import type { Cloud } from './cloud.ts';
import { requestToken, tokenUnreadable } from './token-request.ts';
import { hostOfAddress, type CredentialProvider, type HostCredential, type RegistryCredential } from './credentials.ts';

export interface EcrOptions {
  readonly region: string;
  /** Accounts, 12 digits each. */
  readonly registryIds?: readonly string[] | undefined;
  /** Host of the registry in the policy, if any. */
  readonly host?: string | undefined;
}

export const ecr: Cloud<'ecr'> = (settings, host) => ecrProvider({ ...settings, host });

export function ecrProvider({ region, registryIds, host }: EcrOptions): CredentialProvider {
  return {
    name: 'ecr',
    fetch: async (signal) =>
      await requestToken({ cloud: 'ecr', signal }, async () => {
        const { ECRClient, GetAuthorizationTokenCommand } = await import('./sdk/ecr.ts');
        // One client per token: hours lie between two, and a new client reads a changed environment and has no stale socket.
        const client = new ECRClient({ region });
        try {
          const command = new GetAuthorizationTokenCommand(registryIds === undefined ? {} : { registryIds: [...registryIds] });
          const { authorizationData = [] } = await client.send(command, { abortSignal: signal });
          return withOwnHost(authorizationData.map(readAuthorization), host);
        } finally {
          client.destroy();
        }
      }),
  };
}

function readAuthorization({ authorizationToken = '', expiresAt, proxyEndpoint = '' }: AuthorizationData): HostCredential {
  const [username = '', password = ''] = Buffer.from(authorizationToken, 'base64').toString('utf8').split(':');
  const host = hostOfAddress(proxyEndpoint);
  if (host === '' || username === '' || password === '') throw tokenUnreadable('ecr', 'it names no registry, or no user and password');
  if (expiresAt === undefined || Number.isNaN(expiresAt.getTime()))
    throw tokenUnreadable('ecr', `it has no expiry of the token for ${host}`);
  return { host, credential: { username, password, expiresAt } };
}

/**
 * A token is valid for every registry that the identity may read, whichever accounts were requested (`registryIds` in the reference), while
 * the response names only those. So the policy's host gets it too: another account's, a dual-stack or a FIPS name.
 */
function withOwnHost(entries: readonly HostCredential[], address: string | undefined): readonly HostCredential[] {
  const credential: RegistryCredential | undefined = entries[0]?.credential;
  if (credential === undefined) throw tokenUnreadable('ecr', 'it has no authorizationData');
  const own = address === undefined ? null : hostOfAddress(address);
  return own === null || entries.some(({ host }) => host === own) ? entries : [...entries, { host: own, credential }];
}
