/**
 * The image runs Node with its permission model: no child processes, and only some folders may be read. The SDKs look into home
 * folders and try programs, and must take the refusal for "not there".
 */
import { execFile } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { test, type Test } from 'tap';
import { issueServing, createCa } from '../../src/tls/certificate.ts';
import { startLoopback } from './loopback.ts';

const root = join(import.meta.dirname, '../..');
/** Node 24 has no such flag, and asks no right for it. */
const network = process.allowedNodeEnvironmentFlags.has('--allow-net') ? ['--allow-net'] : [];
const program = join(import.meta.dirname, 'fetch-once.ts');

interface Fetch {
  readonly policy: object;
  readonly host: string;
  readonly environment: Readonly<Record<string, string>>;
}

/** @param readable the one folder that may be read beside the program's own */
async function fetchRestricted(
  readable: string,
  { policy, host, environment }: Fetch,
): Promise<{ host: string; credential: { password: string } }[]> {
  const rights = ['--permission', ...network, `--allow-fs-read=${root}`, `--allow-fs-read=${readable}`];
  const stdout = await runNode([...rights, program, JSON.stringify(policy), host], { HOME: '/home/nobody-may-read', ...environment });
  return JSON.parse(stdout) as { host: string; credential: { password: string } }[];
}

/** tap loads its coverage into every child by NODE_OPTIONS, and that needs rights which the program has not. */
async function runNode(args: readonly string[], environment: Readonly<Record<string, string>>): Promise<string> {
  const { stdout } = await promisify(execFile)('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], {
    env: { PATH: process.env['PATH'], ...environment },
  });
  return stdout;
}

test('ecr with IRSA', async (t) => {
  const secrets = t.testdir({ token: 'projected-token' });
  const end = Math.floor(Date.now() / 1000) + 3600;
  const sts = await startLoopback(t, () => ({
    headers: { 'content-type': 'text/xml' },
    body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${new Date(end * 1000).toISOString()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  }));
  const ecr = await startLoopback(t, () => ({
    body: JSON.stringify({
      authorizationData: [
        {
          authorizationToken: Buffer.from('AWS:pw').toString('base64'),
          expiresAt: end,
          proxyEndpoint: 'https://1.dkr.ecr.eu-west-1.amazonaws.com',
        },
      ],
    }),
  }));
  const entries = await fetchRestricted(secrets, {
    policy: { provider: 'ecr', region: 'eu-west-1' },
    host: '1.dkr.ecr.eu-west-1.amazonaws.com',
    environment: {
      AWS_WEB_IDENTITY_TOKEN_FILE: join(secrets, 'token'),
      AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/pull',
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL_STS: sts.origin,
      AWS_ENDPOINT_URL_ECR: ecr.origin,
    },
  });
  t.match(entries, [{ host: '1.dkr.ecr.eu-west-1.amazonaws.com', credential: { password: 'pw' } }]);
});

test('gar with the metadata server', async (t) => {
  const server = await startLoopback(t, () => ({
    headers: { 'metadata-flavor': 'Google' },
    body: '{"access_token":"pw","expires_in":3599,"token_type":"Bearer"}',
  }));
  const entries = await fetchRestricted(t.testdir({}), {
    policy: { provider: 'gar' },
    host: 'europe-docker.pkg.dev/p',
    environment: { GCE_METADATA_HOST: server.host },
  });
  t.match(entries, [{ host: 'europe-docker.pkg.dev', credential: { password: 'pw' } }]);
});

test('gar with federation from outside of Google', async (t) => {
  const sts = await startLoopback(t, () => ({
    body: JSON.stringify({
      access_token: 'pw',
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3600,
    }),
  }));
  const secrets = t.testdir({ token: 'projected-token' });
  const configuration = join(secrets, 'credentials.json');
  const source = { file: join(secrets, 'token') };
  writeFileSync(
    configuration,
    JSON.stringify({
      type: 'external_account',
      audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster',
      subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
      token_url: `${sts.origin}/v1/token`,
      credential_source: source,
    }),
  );
  const entries = await fetchRestricted(secrets, {
    policy: { provider: 'gar' },
    host: 'europe-docker.pkg.dev',
    environment: { GOOGLE_APPLICATION_CREDENTIALS: configuration, METADATA_SERVER_DETECTION: 'none' },
  });
  t.match(entries, [{ host: 'europe-docker.pkg.dev', credential: { password: 'pw' } }]);
});

test('acr with federated identity', async (t) => {
  await acrRestricted(t, (origin, token) => ({
    AZURE_CLIENT_ID: 'client',
    AZURE_TENANT_ID: 'tenant',
    AZURE_FEDERATED_TOKEN_FILE: token,
    AZURE_AUTHORITY_HOST: `${origin}/`,
  }));
});

test('acr with managed identity', async (t) => {
  await acrRestricted(t, (_origin, _token, imds) => ({ AZURE_POD_IDENTITY_AUTHORITY_HOST: imds }));
});

async function acrRestricted(t: Test, environment: (origin: string, token: string, imds: string) => Record<string, string>): Promise<void> {
  const authority = await createCa('transship test', { lifetime: 3_600_000 });
  const pair = await issueServing(authority, ['127.0.0.1'], { lifetime: 3_600_000 });
  const secrets = t.testdir({ token: 'projected-token', 'ca.crt': authority.cert });
  const server = await startLoopback(
    t,
    ({ url }) => {
      if (url.pathname === '/oauth2/exchange') return { body: '{"refresh_token":"pw"}' };
      if (!url.pathname.endsWith('/openid-configuration'))
        return { body: '{"token_type":"Bearer","expires_in":3599,"access_token":"entra"}' };
      const base = `${server.origin}/tenant`;
      return {
        body: JSON.stringify({
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/authorize`,
          token_endpoint: `${base}/token`,
          jwks_uri: `${base}/keys`,
        }),
      };
    },
    pair,
  );
  const imds = await startLoopback(t, () => ({
    body: JSON.stringify({
      access_token: 'entra',
      expires_in: '3600',
      expires_on: String(Math.floor(Date.now() / 1000) + 3600),
      resource: 'r',
      token_type: 'Bearer',
    }),
  }));
  const entries = await fetchRestricted(secrets, {
    policy: { provider: 'acr' },
    host: server.host,
    environment: { NODE_EXTRA_CA_CERTS: join(secrets, 'ca.crt'), ...environment(server.origin, join(secrets, 'token'), imds.origin) },
  });
  t.match(entries, [{ host: server.host, credential: { password: 'pw' } }]);
}
