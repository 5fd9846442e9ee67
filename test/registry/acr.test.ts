import { join } from 'node:path';
import { test, type Test } from 'tap';
import { acrProvider, type AcrOptions } from '../../src/registry/acr.ts';
import { issueServing, createCa } from '../../src/tls/certificate.ts';
import { conforms, failureOf, marker, type Behaviour, type CloudUnderTest } from './conformance.ts';
import { setEnvironment, startLoopback, trustedPair, type Loopback, type Received, type Reply } from './loopback.ts';

const lifeSeconds = 3 * 3600;
const resource = 'https://containerregistry.azure.net';

interface Azure extends CloudUnderTest {
  readonly registry: Loopback;
}

const noIdentity = {
  AZURE_CLIENT_ID: undefined,
  AZURE_TENANT_ID: undefined,
  AZURE_FEDERATED_TOKEN_FILE: undefined,
  AZURE_AUTHORITY_HOST: undefined,
  IDENTITY_ENDPOINT: undefined,
  MSI_ENDPOINT: undefined,
};

/** https://azure.github.io/acr/AAD-OAuth.html, the exchange of a token of Entra for one of the registry. */
async function startRegistry(t: Test, { tenantId, entraToken }: Partial<AcrOptions> & { entraToken: string }): Promise<Azure> {
  let behaviour: Behaviour = 'good';
  let password = '';
  let issued = 0;
  const registry = await startLoopback(
    t,
    (request): Reply => {
      if (behaviour === 'hang' || behaviour === 'reset') return behaviour;
      if (behaviour === 'garbage') return { body: `<html>${marker}` };
      if (behaviour === 'empty') return { body: '{}' };
      if (behaviour === 'broken') return { status: 500, body: marker };
      if (behaviour === 'forbidden' || !accepted(request, registry.host, entraToken))
        return { status: 401, body: JSON.stringify({ errors: [{ code: 'UNAUTHORIZED', message: marker }] }) };
      issued += 1;
      const exp = Math.floor(Date.now() / 1000) + (behaviour === 'expired' ? -60 : lifeSeconds);
      password = ['{"alg":"RS256"}', JSON.stringify({ exp, jti: issued }), marker]
        .map((part) => Buffer.from(part).toString('base64url'))
        .join('.');
      return { body: JSON.stringify({ refresh_token: password }) };
    },
    await trustedPair(t),
  );
  return {
    provider: acrProvider({ host: `${registry.host}/mirror`, tenantId }),
    host: registry.host,
    username: '00000000-0000-0000-0000-000000000000',
    lifeSeconds,
    behave: (next) => {
      behaviour = next;
    },
    password: () => password,
    asked: () => registry.requests.length,
    registry,
  };
}

function accepted({ method, url, headers, body }: Received, host: string, entraToken: string): boolean {
  const form = new URLSearchParams(body);
  const isForm = headers['content-type']?.startsWith('application/x-www-form-urlencoded') === true;
  return (
    method === 'POST' &&
    url.pathname === '/oauth2/exchange' &&
    isForm &&
    form.get('grant_type') === 'access_token' &&
    form.get('service') === host &&
    form.get('access_token') === entraToken
  );
}

/** The identity of a node: the instance metadata service. The SDK keeps its token for the life of the process, so it is one for all tests. */
async function startManaged(t: Test): Promise<Azure> {
  const entraToken = `entra-${marker}`;
  const imds = await startLoopback(t, ({ url, headers }) =>
    headers['metadata'] === 'true' &&
    url.pathname.replace(/\/$/, '') === '/metadata/identity/oauth2/token' &&
    url.searchParams.get('resource') === resource
      ? {
          body: JSON.stringify({
            access_token: entraToken,
            expires_in: '86400',
            expires_on: String(Math.floor(Date.now() / 1000) + 86_400),
            resource,
            token_type: 'Bearer',
          }),
        }
      : { status: 400, body: JSON.stringify({ error: 'invalid_request', error_description: 'Required metadata header not specified' }) },
  );
  setEnvironment(t, { ...noIdentity, AZURE_POD_IDENTITY_AUTHORITY_HOST: imds.origin });
  return await startRegistry(t, { entraToken });
}

const tenant = '11111111-2222-3333-4444-555555555555';

interface Federated extends Azure {
  readonly entra: Loopback;
}

/** https://learn.microsoft.com/entra/identity-platform/v2-oauth2-client-creds-grant-flow, with a federated credential. */
async function startFederated(t: Test, { tenantId, refused = false }: { tenantId?: string; refused?: boolean } = {}): Promise<Federated> {
  const entraToken = `federated-${marker}`;
  const entra = await startLoopback(
    t,
    ({ url }): Reply => {
      const base = `${entra.origin}/${url.pathname.split('/')[1]}`;
      if (url.pathname.endsWith('/.well-known/openid-configuration')) {
        const endpoints = {
          issuer: `${base}/v2.0`,
          authorization_endpoint: `${base}/oauth2/v2.0/authorize`,
          token_endpoint: `${base}/oauth2/v2.0/token`,
          jwks_uri: `${base}/discovery/v2.0/keys`,
        };
        return { body: JSON.stringify(endpoints) };
      }
      if (refused)
        return {
          status: 400,
          body: JSON.stringify({
            error: 'invalid_client',
            error_description: 'AADSTS700213: No matching federated identity record found',
            debug: marker,
          }),
        };
      return { body: JSON.stringify({ token_type: 'Bearer', expires_in: 3599, ext_expires_in: 3599, access_token: entraToken }) };
    },
    await trustedPair(t),
  );
  const token = join(t.testdir({ token: 'projected-token' }), 'token');
  setEnvironment(t, {
    ...noIdentity,
    AZURE_CLIENT_ID: 'client',
    AZURE_TENANT_ID: tenant,
    AZURE_FEDERATED_TOKEN_FILE: token,
    AZURE_AUTHORITY_HOST: `${entra.origin}/`,
  });
  return { ...(await startRegistry(t, { tenantId, entraToken })), entra };
}

const signal = new AbortController().signal;

await conforms('acr', startManaged);

test('federated identity: the projected token buys one of Entra, that buys one of the registry', async (t) => {
  const { provider, password, entra, registry } = await startFederated(t);
  t.equal((await provider.fetch(signal))[0]?.credential.password, password());
  const asked = entra.requests.filter(({ method }) => method === 'POST');
  t.strictSame(
    asked.map(({ url }) => url.pathname),
    [`/${tenant}/oauth2/v2.0/token`],
  );
  const form = new URLSearchParams(asked[0]?.body);
  t.match(Object.fromEntries(form), {
    grant_type: 'client_credentials',
    client_id: 'client',
    client_assertion_type: 'urn:ietf:params:oauth:client-assertion-type:jwt-bearer',
    client_assertion: 'projected-token',
    scope: `${resource}/.default`,
  });
  t.equal(new URLSearchParams(registry.requests[0]?.body).get('tenant'), null, 'the registry finds the tenant in the token');
});

test("the policy's tenant issues the token, and is sent to the registry", async (t) => {
  const other = '99999999-2222-3333-4444-555555555555';
  const { provider, entra, registry } = await startFederated(t, { tenantId: other });
  await provider.fetch(signal);
  t.ok(entra.requests.every(({ url }) => url.pathname.startsWith(`/${other}/`)));
  t.equal(new URLSearchParams(registry.requests[0]?.body).get('tenant'), other);
});

test("an identity that Entra rejects: Entra's message, and no call to the registry", async (t) => {
  const { provider, asked } = await startFederated(t, { refused: true });
  const error = await failureOf(provider, signal);
  t.equal(error.code, 'TOKEN_REFUSED');
  t.match(error.message, 'AADSTS700213');
  t.notMatch(error.message, marker);
  t.equal(asked(), 0);
});

test('a token that does not say when it ends is used all the same', async (t) => {
  await startManaged(t);
  const pair = await trustedPair(t);
  for (const token of ['opaque', 'a.bm90IEpTT04.c', `a.${Buffer.from('{"exp":"soon"}').toString('base64url')}.c`]) {
    const registry = await startLoopback(t, () => ({ body: JSON.stringify({ refresh_token: token }) }), pair);
    const entries = await acrProvider({ host: registry.host }).fetch(signal);
    t.match(entries, [{ credential: { password: token, expiresAt: null } }]);
  }
});

test('a refusal of the registry names the role that is missing', async (t) => {
  const { provider, behave } = await startManaged(t);
  behave('forbidden');
  t.match((await failureOf(provider, signal)).message, 'AcrPull');
});

test('the token of the identity follows no redirect', async (t) => {
  const pair = await trustedPair(t);
  const elsewhere = await startLoopback(t, () => ({ body: '{"refresh_token":"x"}' }), pair);
  const registry = await startLoopback(
    t,
    () => ({ status: 307, headers: { location: `${elsewhere.origin}/oauth2/exchange` }, body: '' }),
    pair,
  );
  await startManaged(t);
  const error = await failureOf(acrProvider({ host: registry.host }), signal);
  t.equal(error.code, 'TOKEN_REFUSED');
  t.equal(registry.requests.length, 1);
  t.equal(elsewhere.requests.length, 0);
});

test('an untrusted certificate of the registry has another message than a registry that is down', async (t) => {
  await startManaged(t);
  const untrusted = await startLoopback(
    t,
    () => ({ body: '{}' }),
    await issueServing(await createCa('unknown', { lifetime: 3_600_000 }), ['127.0.0.1'], { lifetime: 3_600_000 }),
  );
  t.match((await failureOf(acrProvider({ host: untrusted.host }), signal)).message, 'UNABLE_TO_VERIFY_LEAF_SIGNATURE');
  t.equal(untrusted.requests.length, 0);
  t.match((await failureOf(acrProvider({ host: '127.0.0.1:2' }), signal)).message, 'ECONNREFUSED');
});
