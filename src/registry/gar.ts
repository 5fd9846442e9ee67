/**
 * Google Artifact Registry: an access token of the controller's service account is the password, for an hour at most.
 * https://cloud.google.com/artifact-registry/docs/docker/authentication#token
 */
import { askForToken, unreadable } from './ask.ts';
import { hostOfAddress, type CredentialProvider } from './credentials.ts';
import { loadSdk } from './sdk.ts';

/**
 * The narrowest scope that pulls images (https://cloud.google.com/artifact-registry/docs/integrate-compute). The token ends up in
 * Secrets of other namespaces, and with cloud-platform it would be good for all that the service account may do.
 */
const pullScope = 'https://www.googleapis.com/auth/devstorage.read_only';

interface GoogleClient {
  readonly getAccessToken: () => Promise<{ token?: string | null }>;
  /** `expiry_date` is in milliseconds of Unix time. */
  readonly credentials: { readonly expiry_date?: number | null };
}

interface GoogleSdk {
  readonly Compute: new (options: { scopes: string }) => GoogleClient;
  readonly GoogleAuth: new (options: { scopes: string }) => { getClient: () => Promise<GoogleClient> };
}

export function garProvider({ host: address }: { readonly host: string }): CredentialProvider {
  const host = hostOfAddress(address);
  return {
    name: 'gar',
    fetch: async (signal) =>
      await askForToken('gar', signal, async () => {
        const client = await googleClient(await loadSdk<GoogleSdk>('gar'));
        const { token } = await client.getAccessToken();
        if (typeof token !== 'string' || token === '') throw unreadable('gar', 'it has no access_token');
        const { expiry_date: expiry } = client.credentials;
        const expiresAt = typeof expiry === 'number' && Number.isFinite(expiry) ? new Date(expiry) : null;
        return [{ host, credential: { username: 'oauth2accesstoken', password: token, expiresAt } }];
      }),
  };
}

/**
 * A credentials file when one is named (federation from outside of Google), else the metadata server.
 *
 * GoogleAuth would look for that server by itself, but remembers for the life of the process that it found none, and GKE's takes
 * seconds to appear beside a new pod (https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#limitations).
 */
async function googleClient({ Compute, GoogleAuth }: GoogleSdk): Promise<GoogleClient> {
  if (process.env['GOOGLE_APPLICATION_CREDENTIALS'] === undefined) return new Compute({ scopes: pullScope });
  return await new GoogleAuth({ scopes: pullScope }).getClient();
}
