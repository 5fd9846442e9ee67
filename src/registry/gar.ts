/**
 * Google Artifact Registry: the password is an access token of the controller's service account, valid for an hour at most.
 * https://cloud.google.com/artifact-registry/docs/docker/authentication#token
 */
import type { AuthClient, IdentityPoolClientOptions } from 'google-auth-library';
import { readFile } from 'node:fs/promises';
import { requireHost, type Cloud } from './cloud.ts';
import { requestToken, tokenRefused, tokenUnreadable } from './token-request.ts';
import { hostOfAddress, type CredentialProvider } from './credentials.ts';
import type * as sdk from './sdk/gar.ts';
import type { CredentialError } from './errors.ts';

/**
 * The narrowest scope that can pull images (https://cloud.google.com/artifact-registry/docs/integrate-compute). The token ends up in
 * Secrets of other namespaces, and with cloud-platform it would grant everything that the service account may do.
 */
const pullScope = 'https://www.googleapis.com/auth/devstorage.read_only';

type GoogleSdk = typeof sdk;

export const gar: Cloud<'gar'> = (_, host) => garProvider({ host: requireHost('gar', host) });

export function garProvider({ host: address }: { readonly host: string }): CredentialProvider {
  const host = hostOfAddress(address);
  return {
    name: 'gar',
    fetch: async (signal) =>
      await requestToken({ cloud: 'gar', signal, mapSdkError }, async () => {
        const client = await googleClient(await import('./sdk/gar.ts'));
        const { token } = await client.getAccessToken();
        if (typeof token !== 'string' || token === '') throw tokenUnreadable('gar', 'it has no access_token');
        const { expiry_date: expiry } = client.credentials;
        const expiresAt = typeof expiry === 'number' && Number.isFinite(expiry) ? new Date(expiry) : null;
        return [{ host, credential: { username: 'oauth2accesstoken', password: token, expiresAt } }];
      }),
  };
}

/**
 * Uses a credentials file when one is configured (federation from outside Google), else the metadata server.
 *
 * GoogleAuth would detect that server, but it caches a failed detection for the life of the process, and GKE's metadata server takes
 * seconds to become available to a new pod (https://cloud.google.com/kubernetes-engine/docs/how-to/workload-identity#limitations).
 */
async function googleClient({ Compute, GoogleAuth, IdentityPoolClient }: GoogleSdk): Promise<AuthClient> {
  const path = process.env['GOOGLE_APPLICATION_CREDENTIALS'];
  if (path === undefined) return new Compute({ scopes: pullScope });
  const credentials = await readCredentialsFile(path);
  const tokenFile = projectedTokenOf(credentials);
  if (tokenFile !== null) {
    const getSubjectToken = async (): Promise<string> => (await readFile(tokenFile, 'utf8')).trim();
    // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- the SDK checks what a credentials file says
    const { credential_source: _file, ...options } = credentials as IdentityPoolClientOptions;
    return new IdentityPoolClient({ ...options, subject_token_supplier: { getSubjectToken }, scopes: [pullScope] });
  }
  // Any project works: tokens need none, and without one the SDK starts gcloud, which Node's permission model refuses.
  return await new GoogleAuth({ credentials, scopes: pullScope, projectId: 'none' }).getClient();
}

/** Read here and not by the SDK, which checks every folder above a file; the image's permissions hide those. */
async function readCredentialsFile(path: string): Promise<object> {
  try {
    const credentials: unknown = JSON.parse(await readFile(path, 'utf8'));
    if (typeof credentials === 'object' && credentials !== null) return credentials;
  } catch {
    // Reported below: neither the SDK's message nor the parser's may quote the file.
  }
  throw tokenRefused('gar', `the file ${path} that GOOGLE_APPLICATION_CREDENTIALS names cannot be read or is not JSON`);
}

/** The service account token that a kubelet projects, in the configuration of https://google.aip.dev/auth/4117; null for any other. */
function projectedTokenOf(credentials: object): string | null {
  const source: unknown = Reflect.get(credentials, 'credential_source');
  if (Reflect.get(credentials, 'type') !== 'external_account' || typeof source !== 'object' || source === null) return null;
  const { file, format }: { file?: unknown; format?: { type?: unknown } } = source;
  return typeof file === 'string' && format?.type !== 'json' ? file : null;
}

/** For an error status the SDK's message is the whole response body, and for a body that is not JSON the parser's error. */
function mapSdkError(error: unknown): CredentialError | undefined {
  if (error instanceof TypeError) return tokenUnreadable('gar', 'it is not JSON');
  if (!(error instanceof Error) || !('config' in error)) return undefined;
  const status = 'status' in error && typeof error.status === 'number' ? error.status : null;
  if (status !== null) return tokenRefused('gar', `the metadata server or token service answered ${status}${hintFor(status)}`);
  const reason = 'code' in error && typeof error.code === 'string' ? error.code : 'the connection failed';
  return tokenRefused('gar', `the metadata server or token service cannot be reached: ${reason}`);
}

function hintFor(status: number): string {
  return status === 403 || status === 404
    ? '; give the Kubernetes service account of the controller an identity with Workload Identity Federation for GKE'
    : '';
}
