import { inspect } from 'node:util';
import { test } from 'tap';
import {
  dockerConfigJson,
  dockerConfigKey,
  dockerConfigType,
  hostOfAddress,
  readDockerConfigSecret,
  type HostCredential,
} from '../../src/registry/credentials.ts';
import { CredentialError } from '../../src/registry/errors.ts';

const secret = 's3cr3t';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const entry = (host: string, username = 'user', password = secret): HostCredential => ({
  host,
  credential: { username, password, expiresAt: null },
});
const sourceOf = (config: unknown): { type: string; data: Record<string, string> } => ({
  type: dockerConfigType,
  data: { [dockerConfigKey]: base64(typeof config === 'string' ? config : JSON.stringify(config)) },
});

test('the host of an address', (t) => {
  const table: [string, string][] = [
    ['quay.io', 'quay.io'],
    ['harbor.example.com/mirror', 'harbor.example.com'],
    ['https://Harbor.Example.com:8443/v2/', 'harbor.example.com:8443'],
    ['http://localhost:5000', 'localhost:5000'],
    ['https://index.docker.io/v1/', 'docker.io'],
    ['docker.io', 'docker.io'],
    ['[::1]:5000/x', '[::1]:5000'],
    ['', ''],
  ];
  for (const [address, host] of table) t.equal(hostOfAddress(address), host, address);
  t.end();
});

test('the text of a pull secret', (t) => {
  const auth = base64(`user:${secret}`);
  const one = { username: 'user', password: secret, auth };
  const table: { name: string; entries: HostCredential[]; auths: object }[] = [
    { name: 'a host', entries: [entry('quay.io')], auths: { 'quay.io': one } },
    { name: 'the path of a policy is cut', entries: [entry('harbor.example.com:8443/mirror')], auths: { 'harbor.example.com:8443': one } },
    { name: 'Docker Hub has the key that all clients know', entries: [entry('docker.io')], auths: { 'https://index.docker.io/v1/': one } },
    {
      name: 'several hosts stay several entries, in one order',
      entries: [entry('b.example'), entry('a.example')],
      auths: { 'a.example': one, 'b.example': one },
    },
    { name: 'the later of two for a host', entries: [entry('quay.io', 'old'), entry('QUAY.io')], auths: { 'quay.io': one } },
    {
      name: 'a colon in the password',
      entries: [entry('quay.io', 'user', 'a:b')],
      auths: { 'quay.io': { username: 'user', password: 'a:b', auth: base64('user:a:b') } },
    },
    { name: 'no entry', entries: [], auths: {} },
  ];
  for (const { name, entries, auths } of table) t.equal(dockerConfigJson(entries), JSON.stringify({ auths }), name);
  t.equal(
    dockerConfigJson([entry('a.io'), entry('b.io')]),
    dockerConfigJson([entry('b.io'), entry('a.io')]),
    'the order of the input does not show, so nothing is written',
  );
  t.end();
});

test('what a docker config cannot hold is refused', (t) => {
  for (const wrong of [entry(''), entry('/path'), entry('quay.io', ''), entry('quay.io', 'a:b')]) {
    t.throws(() => dockerConfigJson([wrong]), { name: 'CredentialError', code: 'CREDENTIAL_INVALID' }, JSON.stringify(wrong));
  }
  t.end();
});

test('reading a Secret', (t) => {
  const table: { name: string; config: unknown; entries: HostCredential[] }[] = [
    { name: 'user and password', config: { auths: { 'quay.io': { username: 'user', password: secret } } }, entries: [entry('quay.io')] },
    { name: 'auth only', config: { auths: { 'quay.io': { auth: base64(`user:${secret}`) } } }, entries: [entry('quay.io')] },
    {
      name: 'auth wins, as in a kubelet',
      config: { auths: { 'quay.io': { username: 'x', password: 'y', auth: base64('user:a:b') } } },
      entries: [entry('quay.io', 'user', 'a:b')],
    },
    {
      name: 'two paths of a host',
      config: {
        auths: { 'https://gitlab.example/a': { username: 'a', password: '1' }, 'gitlab.example/b': { username: 'b', password: '2' } },
      },
      entries: [entry('gitlab.example', 'a', '1'), entry('gitlab.example', 'b', '2')],
    },
    {
      name: 'what docker leaves for a credential store is passed over',
      config: { auths: { 'a.io': {}, 'b.io': { username: 'user', password: secret } }, credsStore: 'desktop' },
      entries: [entry('b.io')],
    },
    {
      name: '__proto__ is a host like any other',
      config: '{"auths":{"__proto__":{"username":"user","password":"s3cr3t"}}}',
      entries: [entry('__proto__')],
    },
  ];
  for (const { name, config, entries } of table) t.strictSame(readDockerConfigSecret('ns/source', sourceOf(config)), entries, name);
  const written = [entry('docker.io'), entry('harbor.example.com:8443')];
  t.strictSame(
    readDockerConfigSecret('ns/source', sourceOf(dockerConfigJson(written))),
    written.toReversed().toSorted((a) => (a.host === 'harbor.example.com:8443' ? -1 : 1)),
    'what was written is read back',
  );
  t.end();
});

test('a Secret that cannot be used: what is wrong, and never what is in it', (t) => {
  const table: { name: string; source: Parameters<typeof readDockerConfigSecret>[1]; code: string; message: RegExp }[] = [
    {
      name: 'Opaque',
      source: { data: { password: base64(secret) } },
      code: 'SECRET_TYPE',
      message: /ns\/source has the type Opaque; make it with `kubectl create secret docker-registry`/,
    },
    {
      name: 'the old type',
      source: { ...sourceOf({}), type: 'kubernetes.io/dockercfg' },
      code: 'SECRET_TYPE',
      message: /kubernetes.io\/dockercfg/,
    },
    { name: 'no data', source: { type: dockerConfigType }, code: 'SECRET_UNREADABLE', message: /no key \.dockerconfigjson/ },
    // JSON.parse quotes the start of what it cannot read.
    { name: 'not JSON', source: sourceOf(secret), code: 'SECRET_UNREADABLE', message: /not a JSON object/ },
    { name: 'half a JSON', source: sourceOf(`{"auths":{"a":"${secret}"`), code: 'SECRET_UNREADABLE', message: /not a JSON object/ },
    { name: 'a list', source: sourceOf([secret]), code: 'SECRET_UNREADABLE', message: /not a JSON object/ },
    { name: 'no auths', source: sourceOf({ password: secret }), code: 'SECRET_WITHOUT_AUTHS', message: /no map `auths`/ },
    { name: 'auths is a list', source: sourceOf({ auths: [secret] }), code: 'SECRET_WITHOUT_AUTHS', message: /no map `auths`/ },
    { name: 'empty auths', source: sourceOf({ auths: {} }), code: 'SECRET_WITHOUT_AUTHS', message: /no password in its auths/ },
    {
      name: 'a credential store',
      source: sourceOf({ auths: { 'quay.io': {} }, credsStore: 'desktop' }),
      code: 'SECRET_WITHOUT_AUTHS',
      message: /credential store/,
    },
    {
      name: 'an entry that is a text',
      source: sourceOf({ auths: { 'quay.io': secret } }),
      code: 'CREDENTIAL_INVALID',
      message: /auths\["quay.io"\] of Secret ns\/source is not a map/,
    },
    {
      name: 'auth without a colon',
      source: sourceOf({ auths: { 'quay.io': { auth: base64(secret) } } }),
      code: 'CREDENTIAL_INVALID',
      message: /not base64 of user:password/,
    },
    {
      name: 'auth without a user',
      source: sourceOf({ auths: { 'quay.io': { auth: base64(`:${secret}`) } } }),
      code: 'CREDENTIAL_INVALID',
      message: /not base64 of user:password/,
    },
    {
      name: 'a user without a password',
      source: sourceOf({ auths: { 'quay.io': { username: secret } } }),
      code: 'CREDENTIAL_INVALID',
      message: /no `password`/,
    },
  ];
  for (const { name, source, code, message } of table) {
    const error = thrownBy(() => readDockerConfigSecret('ns/source', source));
    t.ok(error instanceof CredentialError, name);
    t.match(error, { code, message }, name);
    const shown = inspect(error, { depth: 9, showHidden: true });
    t.notOk(shown.includes(secret) || shown.includes(base64(secret)), `${name}: nothing of the content`);
  }
  t.end();
});

function thrownBy(run: () => unknown): unknown {
  try {
    return run();
  } catch (error) {
    return error;
  }
}
