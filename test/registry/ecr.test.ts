import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { ecrProvider, type EcrOptions } from '../../src/registry/ecr.ts';
import { conforms, marker, type Behaviour, type CloudUnderTest } from './conformance.ts';
import { setEnvironment, startLoopback, type Loopback, type Received, type Reply } from './loopback.ts';

const account = '111122223333';
const hostOf = (id: string): string => `${id}.dkr.ecr.eu-west-1.amazonaws.com`;
const lifeSeconds = 12 * 3600;
const target = 'AmazonEC2ContainerRegistry_V20150921.GetAuthorizationToken';

interface Ecr extends CloudUnderTest {
  readonly server: Loopback;
}

/** https://docs.aws.amazon.com/AmazonECR/latest/APIReference/API_GetAuthorizationToken.html, over AWS JSON 1.1. */
async function startEcr(
  t: Test,
  options: Partial<EcrOptions> = {},
  environment: Record<string, string> = { AWS_ACCESS_KEY_ID: 'AKIATEST', AWS_SECRET_ACCESS_KEY: marker },
): Promise<Ecr> {
  let behaviour: Behaviour = 'good';
  let issued = 0;
  const password = (): string => `${marker}-${issued}`;
  const server = await startLoopback(t, (request): Reply => {
    if (behaviour === 'hang' || behaviour === 'reset') return behaviour;
    if (behaviour === 'garbage') return { body: `<html>${marker}` };
    if (behaviour === 'empty') return { body: '{}' };
    if (behaviour === 'broken') return { status: 500, body: JSON.stringify({ __type: 'ServerException', debug: marker }) };
    const refused = refusal(request);
    if (behaviour === 'forbidden' || refused !== null)
      return {
        status: 400,
        body: JSON.stringify({
          __type: 'AccessDeniedException',
          message: refused ?? 'not authorized to perform: ecr:GetAuthorizationToken',
          debug: marker,
        }),
      };
    issued += 1;
    const end = Math.floor(Date.now() / 1000) + (behaviour === 'expired' ? -60 : lifeSeconds);
    const { registryIds = [account] } = JSON.parse(request.body) as { registryIds?: string[] };
    const authorizationData = registryIds.map((id) => ({
      authorizationToken: Buffer.from(`AWS:${password()}`).toString('base64'),
      expiresAt: end,
      proxyEndpoint: `https://${hostOf(id)}`,
    }));
    return { body: JSON.stringify({ authorizationData }), headers: { 'content-type': 'application/x-amz-json-1.1' } };
  });
  const missing = join(import.meta.dirname, 'missing');
  const nothing = { AWS_ACCESS_KEY_ID: undefined, AWS_SECRET_ACCESS_KEY: undefined, AWS_SESSION_TOKEN: undefined, AWS_PROFILE: undefined };
  setEnvironment(t, {
    ...nothing,
    AWS_CONFIG_FILE: missing,
    AWS_SHARED_CREDENTIALS_FILE: missing,
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_ENDPOINT_URL_ECR: server.origin,
    ...environment,
  });
  return {
    provider: ecrProvider({ region: 'eu-west-1', ...options }),
    host: hostOf(account),
    username: 'AWS',
    lifeSeconds,
    behave: (next) => {
      behaviour = next;
    },
    password,
    asked: () => server.requests.length,
    server,
  };
}

/** What ECR itself would refuse. */
function refusal({ method, headers }: Received): string | null {
  if (method !== 'POST' || headers['x-amz-target'] !== target || headers['content-type'] !== 'application/x-amz-json-1.1')
    return 'not a GetAuthorizationToken in AWS JSON 1.1';
  const signed =
    /^AWS4-HMAC-SHA256 Credential=\w+\/\d{8}\/eu-west-1\/ecr\/aws4_request, SignedHeaders=[a-z0-9;-]*host;[a-z0-9;-]+, Signature=[0-9a-f]{64}$/;
  return signed.test(headers.authorization ?? '') ? null : `not signed for ECR in eu-west-1: ${headers.authorization}`;
}

const signal = new AbortController().signal;

await conforms('ecr', async (t) => await startEcr(t));

const other = '444455556666';
const hosts: { name: string; options: Partial<EcrOptions>; expected: string[] }[] = [
  { name: 'the own account', options: {}, expected: [hostOf(account)] },
  {
    name: 'the accounts of registryIds, each with its entry',
    options: { registryIds: [account, other] },
    expected: [hostOf(account), hostOf(other)],
  },
  // The answer names the caller's own registry only, and pods of a cross-account registry had no credentials.
  {
    name: 'the host of the policy in another account',
    options: { host: `${hostOf(other)}/mirror` },
    expected: [hostOf(account), hostOf(other)],
  },
  { name: 'the host of the policy is the own account', options: { host: hostOf(account) }, expected: [hostOf(account)] },
];

for (const { name, options, expected } of hosts) {
  test(`which hosts the token is handed to: ${name}`, async (t) => {
    const { provider, password } = await startEcr(t, options);
    const entries = await provider.fetch(signal);
    t.strictSame(
      entries.map(({ host }) => host),
      expected,
    );
    t.ok(entries.every(({ credential }) => credential.password === password() && credential.username === 'AWS'));
  });
}

test('an answer that lacks a part is refused, and not written into Secrets', async (t) => {
  const whole = {
    authorizationToken: Buffer.from(`AWS:${marker}`).toString('base64'),
    expiresAt: Date.now() / 1000 + lifeSeconds,
    proxyEndpoint: `https://${hostOf(account)}`,
  };
  const table: { part: object; message: RegExp }[] = [
    { part: { proxyEndpoint: undefined }, message: /names no registry, or no user and password/ },
    { part: { authorizationToken: undefined }, message: /names no registry, or no user and password/ },
    { part: { authorizationToken: Buffer.from('AWS').toString('base64') }, message: /names no registry, or no user and password/ },
    { part: { expiresAt: undefined }, message: /has no expiry of the token for/ },
  ];
  const { provider } = await startEcr(t);
  for (const { part, message } of table) {
    const server = await startLoopback(t, () => ({ body: JSON.stringify({ authorizationData: [{ ...whole, ...part }] }) }));
    setEnvironment(t, { AWS_ENDPOINT_URL_ECR: server.origin });
    await t.rejects(provider.fetch(signal), { code: 'TOKEN_UNREADABLE', message });
  }
});

test("EKS Pod Identity: the agent gets the pod's token", async (t) => {
  const agent = await startLoopback(t, ({ headers }) =>
    headers.authorization === 'pod-token'
      ? {
          body: JSON.stringify({
            AccessKeyId: 'ASIAPOD',
            SecretAccessKey: marker,
            Token: 'session-of-pod',
            Expiration: new Date(Date.now() + 3_600_000).toISOString(),
          }),
        }
      : { status: 403, body: '{}' },
  );
  const token = join(t.testdir({ token: 'pod-token' }), 'token');
  const { provider, password, server } = await startEcr(
    t,
    {},
    { AWS_CONTAINER_CREDENTIALS_FULL_URI: `${agent.origin}/v1/credentials`, AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE: token },
  );
  t.equal((await provider.fetch(signal))[0]?.credential.password, password());
  t.equal(server.requests[0]?.headers['x-amz-security-token'], 'session-of-pod');
  t.match(server.requests[0]?.headers.authorization, 'Credential=ASIAPOD/');
});

test('IRSA: STS gets the projected token, read again each time', async (t) => {
  const sts = await startLoopback(t, ({ body }) => ({
    headers: { 'content-type': 'text/xml' },
    body: `<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/"><AssumeRoleWithWebIdentityResult><Credentials>
      <AccessKeyId>ASIAIRSA</AccessKeyId><SecretAccessKey>${marker}</SecretAccessKey>
      <SessionToken>session-of-${new URLSearchParams(body).get('WebIdentityToken')}</SessionToken>
      <Expiration>${new Date(Date.now() + 3_600_000).toISOString()}</Expiration></Credentials></AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>`,
  }));
  const file = join(t.testdir({ token: 'first' }), 'token');
  const { provider, server } = await startEcr(
    t,
    {},
    {
      AWS_WEB_IDENTITY_TOKEN_FILE: file,
      AWS_ROLE_ARN: `arn:aws:iam::${account}:role/pull`,
      AWS_REGION: 'eu-west-1',
      AWS_ENDPOINT_URL_STS: sts.origin,
    },
  );
  await provider.fetch(signal);
  // The kubelet replaces a projected token before it ends.
  writeFileSync(file, 'second');
  await provider.fetch(signal);
  t.strictSame(
    server.requests.map(({ headers }) => headers['x-amz-security-token']),
    ['session-of-first', 'session-of-second'],
  );
  t.match(sts.requests[0]?.body, 'Action=AssumeRoleWithWebIdentity');
});

test('without an identity the message says so', async (t) => {
  const { provider, asked } = await startEcr(t, {}, {});
  await t.rejects(provider.fetch(signal), { code: 'TOKEN_REFUSED', message: /^ecr issued no token: CredentialsProviderError/ });
  t.equal(asked(), 0);
});
