import { generateKeyPairSync } from 'node:crypto';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test, type Test } from 'tap';
import { garProvider } from '../../src/registry/gar.ts';
import { conforms, failureOf, marker, type Behaviour, type CloudUnderTest } from './conformance.ts';
import { setEnvironment, startLoopback, type Loopback, type Reply } from './loopback.ts';

const address = 'europe-west1-docker.pkg.dev/my-project/mirror';
const lifeSeconds = 3599;
const pullScope = 'https://www.googleapis.com/auth/devstorage.read_only';

interface Google extends CloudUnderTest {
  readonly server: Loopback;
}

/** https://cloud.google.com/compute/docs/access/authenticate-workloads#applications: the metadata server. */
async function startMetadataServer(t: Test): Promise<Google> {
  let behaviour: Behaviour = 'good';
  let issued = 0;
  const password = (): string => `ya29.${marker}-${issued}`;
  const server = await startLoopback(t, ({ url, headers }): Reply => {
    if (behaviour === 'hang' || behaviour === 'reset') return behaviour;
    const flavor = { 'metadata-flavor': 'Google' };
    if (headers['metadata-flavor'] !== 'Google')
      return { status: 403, headers: flavor, body: 'Missing required header "Metadata-Flavor": "Google"' };
    if (url.pathname !== '/computeMetadata/v1/instance/service-accounts/default/token')
      return { status: 404, headers: flavor, body: `no ${url.pathname}` };
    if (behaviour === 'garbage') return { headers: flavor, body: `<html>${marker}` };
    if (behaviour === 'empty') return { headers: flavor, body: '{}' };
    if (behaviour === 'broken') return { status: 500, headers: flavor, body: JSON.stringify({ debug: marker }) };
    if (behaviour === 'forbidden') return { status: 403, headers: flavor, body: JSON.stringify({ error: 'forbidden', debug: marker }) };
    issued += 1;
    return {
      headers: flavor,
      body: JSON.stringify({ access_token: password(), expires_in: behaviour === 'expired' ? -60 : lifeSeconds, token_type: 'Bearer' }),
    };
  });
  setEnvironment(t, { GCE_METADATA_HOST: server.host, GCE_METADATA_IP: undefined, GOOGLE_APPLICATION_CREDENTIALS: undefined });
  return {
    provider: garProvider({ host: address }),
    host: 'europe-west1-docker.pkg.dev',
    username: 'oauth2accesstoken',
    lifeSeconds,
    behave: (next) => {
      behaviour = next;
    },
    password,
    asked: () => server.requests.length,
    server,
  };
}

const signal = new AbortController().signal;

await conforms('gar', startMetadataServer);

test('the token has the narrowest scope that pulls images', async (t) => {
  const { provider, server } = await startMetadataServer(t);
  await provider.fetch(signal);
  t.strictSame(
    server.requests.map(({ url }) => url.searchParams.get('scopes')),
    [pullScope],
  );
});

test('a metadata server that appears later than the pod is found', async (t) => {
  // GoogleAuth remembered for good that there was none.
  setEnvironment(t, { GCE_METADATA_HOST: '127.0.0.1:1', GOOGLE_APPLICATION_CREDENTIALS: undefined });
  t.equal((await failureOf(garProvider({ host: address }), signal)).code, 'TOKEN_REFUSED');
  const { provider, password } = await startMetadataServer(t);
  t.equal((await provider.fetch(signal))[0]?.credential.password, password());
});

test('federation from outside of Google: the file that GOOGLE_APPLICATION_CREDENTIALS names', async (t) => {
  // https://google.aip.dev/auth/4117
  const sts = await startLoopback(t, () => ({
    body: JSON.stringify({
      access_token: `federated-${marker}`,
      issued_token_type: 'urn:ietf:params:oauth:token-type:access_token',
      token_type: 'Bearer',
      expires_in: 3600,
    }),
  }));
  const folder = t.testdir({ token: 'projected-token' });
  const file = join(folder, 'credentials.json');
  const configuration = {
    type: 'external_account',
    audience: '//iam.googleapis.com/projects/1/locations/global/workloadIdentityPools/pool/providers/cluster',
    subject_token_type: 'urn:ietf:params:oauth:token-type:jwt',
    token_url: `${sts.origin}/v1/token`,
    credential_source: { file: join(folder, 'token') },
  };
  writeFileSync(file, JSON.stringify(configuration));
  setEnvironment(t, { GOOGLE_APPLICATION_CREDENTIALS: file });
  const [entry] = await garProvider({ host: address }).fetch(signal);
  t.match(entry, { host: 'europe-west1-docker.pkg.dev', credential: { username: 'oauth2accesstoken', password: `federated-${marker}` } });
  t.ok(entry?.credential.expiresAt instanceof Date);
  const form = new URLSearchParams(sts.requests[0]?.body);
  t.match([form.get('subject_token'), form.get('scope')], ['projected-token', pullScope]);
});

test('a key of a service account: signed by the SDK, sent to the token service', async (t) => {
  const { privateKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' },
    publicKeyEncoding: { type: 'spki', format: 'pem' },
  });
  const key = {
    type: 'service_account',
    client_email: 'pull@my-project.iam.gserviceaccount.com',
    private_key: privateKey,
    universe_domain: 'googleapis.com',
  };
  const path = join(t.testdir({ 'key.json': JSON.stringify(key) }), 'key.json');
  setEnvironment(t, {
    GOOGLE_APPLICATION_CREDENTIALS: path,
    HTTPS_PROXY: 'http://127.0.0.1:1',
    https_proxy: undefined,
    NO_PROXY: undefined,
    no_proxy: undefined,
  });
  const error = await failureOf(garProvider({ host: address }), signal);
  t.equal(error.code, 'TOKEN_REFUSED');
  t.match(error.message, 'ECONNREFUSED', 'the token service of such a key is fixed in the SDK: the proxy stands for it, and is down');
});

test('a credentials file that cannot be used is named, and not quoted', async (t) => {
  const folder = t.testdir({ text: marker, list: '"text"' });
  for (const name of ['missing', 'text', 'list']) {
    setEnvironment(t, { GOOGLE_APPLICATION_CREDENTIALS: join(folder, name) });
    const error = await failureOf(garProvider({ host: address }), signal);
    t.match(error.message, `the file ${join(folder, name)} that GOOGLE_APPLICATION_CREDENTIALS names cannot be read or is not JSON`);
  }
});
