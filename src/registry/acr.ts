/**
 * Azure Container Registry: a Microsoft Entra token of the controller's identity is exchanged for a refresh token of the registry, which is
 * the password for three hours. https://azure.github.io/acr/AAD-OAuth.html
 */
import type { TokenCredential } from '@azure/identity';
import { requireHost, type Cloud } from './cloud.ts';
import { requestToken, tokenRefused, tokenUnreadable } from './token-request.ts';
import { hostOfAddress, type CredentialProvider } from './credentials.ts';
import type * as sdk from './sdk/acr.ts';

/** The audience of the registry: registries can be configured to reject tokens for Azure Resource Manager. */
const registryScope = 'https://containerregistry.azure.net/.default';

/** The user name that Azure expects with a token. */
const tokenUser = '00000000-0000-0000-0000-000000000000';

/** Known Entra hosts. For another one (Azure Stack, a disconnected cloud) the public instance discovery is not available. */
const publicEntraHosts: ReadonlySet<string> = new Set([
  'login.microsoftonline.com',
  'login.microsoftonline.us',
  'login.partner.microsoftonline.cn',
  'login.chinacloudapi.cn',
]);

type AzureSdk = typeof sdk;

export interface AcrOptions {
  readonly host: string;
  /** Tenant of the registry; default: that of the identity. */
  readonly tenantId?: string | undefined;
}

export const acr: Cloud<'acr'> = ({ tenantId }, host) => acrProvider({ host: requireHost('acr', host), tenantId });

export function acrProvider({ host: address, tenantId }: AcrOptions): CredentialProvider {
  const host = hostOfAddress(address);
  return {
    name: 'acr',
    fetch: async (signal) =>
      await requestToken({ cloud: 'acr', signal }, async () => {
        const identity = azureIdentity(await import('./sdk/acr.ts'), tenantId);
        const token = await identity.getToken(registryScope, { abortSignal: signal });
        if (token === null || token.token === '') throw tokenUnreadable('acr', 'the identity has no token');
        const form = new URLSearchParams({ grant_type: 'access_token', service: host, access_token: token.token });
        if (tenantId !== undefined) form.set('tenant', tenantId);
        const password = await exchange(host, form, signal);
        return [{ host, credential: { username: tokenUser, password, expiresAt: endOfToken(password) } }];
      }),
  };
}

/** The federated identity if the workload identity webhook configured one for the pod, else the managed identity of the node or the pod. */
function azureIdentity({ WorkloadIdentityCredential, ManagedIdentityCredential }: AzureSdk, tenantId: string | undefined): TokenCredential {
  const { AZURE_FEDERATED_TOKEN_FILE: federated, AZURE_CLIENT_ID: clientId, AZURE_AUTHORITY_HOST: entraHost } = process.env;
  if (federated === undefined) return new ManagedIdentityCredential(clientId === undefined ? {} : { clientId });
  const disableInstanceDiscovery = entraHost !== undefined && !publicEntraHosts.has(hostOfAddress(entraHost));
  return new WorkloadIdentityCredential(tenantId === undefined ? { disableInstanceDiscovery } : { tenantId, disableInstanceDiscovery });
}

async function exchange(host: string, body: URLSearchParams, signal: AbortSignal): Promise<string> {
  // Redirects are not followed: they would send the identity's token to another host.
  const answer = await fetch(`https://${host}/oauth2/exchange`, { method: 'POST', body, signal, redirect: 'error' });
  if (!answer.ok) {
    await answer.body?.cancel();
    throw tokenRefused('acr', `${host} answered ${answer.status}${hintFor(answer.status)}`);
  }
  const content: unknown = await answer.json();
  const token: unknown = typeof content === 'object' && content !== null ? Reflect.get(content, 'refresh_token') : undefined;
  if (typeof token !== 'string' || token === '') throw tokenUnreadable('acr', 'it has no refresh_token');
  return token;
}

function hintFor(status: number): string {
  return status === 401 || status === 403
    ? '; give the identity the role AcrPull on this registry (Container Registry Repository Reader where it uses repository permissions)'
    : '';
}

/** The `exp` of a JSON Web Token (RFC 7519, section 4.1.4). The registry verifies the token, so its signature is not checked here. */
function endOfToken(token: string): Date | null {
  try {
    const claims: unknown = JSON.parse(Buffer.from(token.split('.')[1] ?? '', 'base64url').toString('utf8'));
    const end: unknown = typeof claims === 'object' && claims !== null ? Reflect.get(claims, 'exp') : undefined;
    return typeof end === 'number' ? new Date(end * 1000) : null;
  } catch {
    return null;
  }
}
