/**
 * Each cloud's SDK as the image has it: the bundle, started with the Dockerfile's own flags, takes a token from a stand-in for the cloud on
 * loopback and writes it into a namespace of a real API server.
 */
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { V1Secret } from '@kubernetes/client-node';
import t from 'tap';
import { createCa, issueServing } from '../../src/tls/certificate.ts';
import { runtimeSettings } from '../../tools/image/settings.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { createNamespace, eventually, releaseNamespace, secretPath } from '../controller/controllers.ts';
import { startLoopback } from './loopback.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const end = Math.floor(Date.now() / 1000) + 3600;

/** Amazon's STS and ECR. */
const awsAnswer = (body: string): string =>
  body.includes('AssumeRoleWithWebIdentity')
    ? `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials><AccessKeyId>A</AccessKeyId><SecretAccessKey>s</SecretAccessKey><SessionToken>t</SessionToken><Expiration>${new Date(end * 1000).toISOString()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`
    : JSON.stringify({
        authorizationData: [
          {
            authorizationToken: Buffer.from('AWS:token-of-ecr').toString('base64'),
            expiresAt: end,
            proxyEndpoint: 'https://1.dkr.ecr.eu-west-1.amazonaws.com',
          },
        ],
      });

/** Entra's directory and token endpoint, and the registry's exchange. */
function azureAnswer(origin: string, path: string): string {
  if (path === '/oauth2/exchange') return '{"refresh_token":"token-of-acr"}';
  if (!path.endsWith('/openid-configuration')) return '{"token_type":"Bearer","expires_in":3599,"access_token":"entra"}';
  const base = `${origin}/tenant`;
  return JSON.stringify({
    issuer: `${base}/v2.0`,
    authorization_endpoint: `${base}/authorize`,
    token_endpoint: `${base}/token`,
    jwks_uri: `${base}/keys`,
  });
}

t.test('the image takes a token from each cloud', { skip: skipReason({ level: 1, helm: false }) }, async (tt) => {
  const root = tt.testdir({});
  const folder = join(root, 'app/dist/bundle');
  mkdirSync(folder, { recursive: true });
  cpSync(join(project, 'package.json'), join(root, 'app/package.json'));
  execFileSync('env', ['-u', 'NODE_OPTIONS', process.execPath, join(project, 'tools/bundle/bundle.ts'), folder]);

  const ca = await createCa('transship test', { lifetime: 3_600_000 });
  const pair = await issueServing(ca, ['127.0.0.1'], { lifetime: 3_600_000 });
  const secrets = join(root, 'var/run/secrets');
  mkdirSync(secrets, { recursive: true });
  writeFileSync(join(secrets, 'token'), 'projected-token');
  writeFileSync(join(secrets, 'ca.crt'), ca.cert);
  const aws = await startLoopback(tt, ({ body }) => ({
    headers: body.includes('AssumeRole') ? { 'content-type': 'text/xml' } : {},
    body: awsAnswer(body),
  }));
  const google = await startLoopback(tt, () => ({
    headers: { 'metadata-flavor': 'Google' },
    body: '{"access_token":"token-of-gar","expires_in":3599,"token_type":"Bearer"}',
  }));
  const azure = await startLoopback(tt, ({ url }) => ({ body: azureAnswer(azure.origin, url.pathname) }), pair);
  const environment = {
    AWS_WEB_IDENTITY_TOKEN_FILE: join(secrets, 'token'),
    AWS_ROLE_ARN: 'arn:aws:iam::111122223333:role/pull',
    AWS_REGION: 'eu-west-1',
    AWS_ENDPOINT_URL_STS: aws.origin,
    AWS_ENDPOINT_URL_ECR: aws.origin,
    GCE_METADATA_HOST: google.host,
    AZURE_CLIENT_ID: 'client',
    AZURE_TENANT_ID: 'tenant',
    AZURE_FEDERATED_TOKEN_FILE: join(secrets, 'token'),
    AZURE_AUTHORITY_HOST: `${azure.origin}/`,
    NODE_EXTRA_CA_CERTS: join(secrets, 'ca.crt'),
    HOME: '/home/nobody-may-read',
  };

  const plane = await startControlPlane(tt, { level: 1 });
  await createNamespace(plane, releaseNamespace);
  await createNamespace(plane, 'shop', { 'transship.dev/rewrite': 'enabled' });
  const policy = join(plane.folder, 'policy.yaml');
  writeFileSync(
    policy,
    JSON.stringify({
      apiVersion: 'transship.dev/v1',
      kind: 'RewritePolicy',
      registries: {
        ecr: {
          host: '1.dkr.ecr.eu-west-1.amazonaws.com',
          pullSecrets: ['ecr'],
          credentials: { provider: 'ecr', region: 'eu-west-1' },
        },
        gar: { host: 'europe-docker.pkg.dev/p', pullSecrets: ['gar'], credentials: { provider: 'gar' } },
        acr: { host: azure.host, pullSecrets: ['acr'], credentials: { provider: 'acr' } },
      },
      rules: [],
    }),
  );
  // The folders of the image, and what a pod has mounted: here they are elsewhere, and the kubeconfig stands for the service account.
  const [, ...flags] = runtimeSettings(readFileSync(join(project, 'Dockerfile'), 'utf8')).Entrypoint.map((word) =>
    word
      .replace('=/app', `=${join(root, 'app')}`)
      .replace('=/var/run/secrets', `=${secrets}`)
      .replace('dist/', `${root}/app/dist/`),
  );
  tt.ok(flags.includes('--permission'), 'with the permission model');
  const readable = [policy, plane.kubeconfig, plane.folder].map((path) => `--allow-fs-read=${path}`);
  const words =
    `controller --policy ${policy} --namespace ${releaseNamespace} --kubeconfig ${plane.kubeconfig} --features secrets --port 0`.split(' ');
  const controller = plane.start({
    name: 'controller',
    command: 'env',
    args: [
      '--unset=NODE_OPTIONS',
      ...Object.entries(environment).map(([name, value]) => `${name}=${value}`),
      process.execPath,
      ...readable,
      ...flags,
      ...words,
    ],
  });
  for (const cloud of ['ecr', 'gar', 'acr']) {
    const config = async (): Promise<string> => {
      const { body } = await plane.api.send<V1Secret>('GET', secretPath('shop', cloud));
      return Buffer.from(body.data?.['.dockerconfigjson'] ?? '', 'base64').toString('utf8');
    };
    await eventually(`the Secret of ${cloud}; ${controller.log().slice(-1000)}`, async () =>
      (await config()).includes(`token-of-${cloud}`),
    );
    tt.pass(cloud);
  }
});
