import { test } from 'tap';
import { hostOfAddress, type HostCredential } from '../../src/registry/credentials.ts';
import { dockerConfigJson } from '../../src/registry/docker-config.ts';

const secret = 's3cr3t';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const entry = (host: string, username = 'user', password = secret): HostCredential => ({
  host,
  credential: { username, password, expiresAt: null },
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

test('credentials that a docker config cannot hold are rejected', (t) => {
  for (const wrong of [entry(''), entry('/path'), entry('quay.io', ''), entry('quay.io', 'a:b')]) {
    t.throws(() => dockerConfigJson([wrong]), { name: 'CredentialError', code: 'CREDENTIAL_INVALID' }, JSON.stringify(wrong));
  }
  t.end();
});
