/** Sources of pull secrets: what a kubelet could use is copied, anything else is named. */
import { readFileSync } from 'node:fs';
import { inspect } from 'node:util';

import { test } from 'tap';

import { dockerConfigJson } from '../../src/registry/docker-config.ts';
import { CredentialError } from '../../src/registry/errors.ts';
import { dockerConfigKey, dockerConfigType, legacyDockerConfigKey, legacyDockerConfigType } from '../../src/registry/pull-secret.ts';
import { readSourceSecret } from '../../src/registry/source-secret.ts';
import { skipWithout } from '../cluster/binaries.ts';
import { askKubelet } from './kubelet.ts';

const password = 's3cr3t';
const base64 = (text: string): string => Buffer.from(text).toString('base64');
const secretOf = (config: unknown): { type: string; data: Record<string, string> } => ({
  type: dockerConfigType,
  data: { [dockerConfigKey]: base64(typeof config === 'string' ? config : JSON.stringify(config)) },
});
const login = { username: 'robot', password };

interface Case {
  readonly name: string;
  readonly config: string;
  readonly kubelet: 'usable' | 'useless' | 'unreadable';
}

const cases = JSON.parse(readFileSync(new URL('../corpus/pull-secrets/configs.json', import.meta.url), 'utf8')) as Case[];
const host = 'reg.example.com';

test('configs of the corpus: accepted, accepted with a warning, or refused, as a kubelet would use them', (t) => {
  for (const { name, config, kubelet } of cases) t.equal(judge(config), kubelet, name);
  t.end();
});

test('the corpus says what the kubelet does', { skip: skipWithout('keyring') }, (t) => {
  const answers = askKubelet(
    cases.map(({ config }) => ({
      secrets: [{ type: dockerConfigType, data: { [dockerConfigKey]: config } }],
      image: `${host}/library/nginx`,
    })),
  );
  for (const [index, { name, kubelet }] of cases.entries()) {
    const { refused = false, credentials = [] } = answers[index] ?? {};
    const hasPassword = credentials.some((credential) => !credential.endsWith(':'));
    t.equal(refused ? 'unreadable' : hasPassword ? 'usable' : 'useless', kubelet, name);
  }
  t.end();
});

function judge(config: string): Case['kubelet'] {
  try {
    // The corpus is about one image, and another path of its host is of no use to it.
    return readSourceSecret('ns/source', secretOf(config), `${host}/library/nginx`).mismatch === null ? 'usable' : 'useless';
  } catch (error) {
    return error instanceof CredentialError && error.code === 'SECRET_WITHOUT_AUTHS' ? 'useless' : 'unreadable';
  }
}

test('whether an entry fits the registry of the policy', (t) => {
  const table: [key: string, host: string, fits: boolean][] = [
    ['reg.example.com', 'reg.example.com', true],
    ['reg.example.com', 'reg.example.com/mirror', true],
    ['reg.example.com/mirror/team', 'reg.example.com/mirror', true],
    ['reg.example.com/mirror', 'reg.example.com/mirror/team', true],
    ['reg.example.com/other', 'reg.example.com/mirror', false],
    ['reg.example.com/team', 'reg.example.com', true],
    ['reg.example.com', 'reg.example.com:5000', false],
    ['*.dkr.ecr.*.amazonaws.com', '111122223333.dkr.ecr.eu-west-1.amazonaws.com/hub', true],
    ['https://index.docker.io/v1/', 'docker.io', true],
    ['https://index.docker.io/v1/', 'docker.io/acme', true],
    ['https://index.docker.io/v1/', 'registry-1.docker.io', false],
    ['docker.io', 'docker.io', true],
    ['localhost:5000', 'localhost:5000', true],
    ['[::1]:5000', '[::1]:5000', true],
  ];
  for (const [key, registry, fits] of table) {
    const { mismatch } = readSourceSecret('ns/source', secretOf({ auths: { [key]: login } }), registry);
    t.equal(mismatch === null, fits, `${key} for ${registry}`);
    if (mismatch !== null) t.match(mismatch, `no entry of Secret ns/source is for ${registry}`);
  }
  t.equal(readSourceSecret('ns/source', secretOf({ auths: { 'a.io': login } }), undefined).mismatch, null, 'no host yet');
  const mixed = { 'reg.example.com': { identitytoken: password }, 'a.io': login };
  t.match(readSourceSecret('ns/source', secretOf({ auths: mixed }), host).mismatch, /for reg.example.com has no password/);
  const many = Object.fromEntries(['Reg.example.com', 'b', 'c', 'd', 'e', 'f'].map((key) => [key, login]));
  t.match(
    readSourceSecret('ns/source', secretOf({ auths: many }), host).mismatch,
    /letter by letter, and the keys are "Reg.example.com", "b", "c", "d", "e", …$/,
  );
  t.end();
});

test('a source of the older type is copied as one of the newer', (t) => {
  const auths = '{ "reg.example.com": {"username":"robot","password":"s3cr3t"} }';
  const { encoded, mismatch } = readSourceSecret(
    'ns/source',
    { type: legacyDockerConfigType, data: { [legacyDockerConfigKey]: base64(auths) } },
    host,
  );
  t.equal(Buffer.from(encoded, 'base64').toString('utf8'), `{"auths":${auths}}`);
  t.equal(mismatch, null);
  t.end();
});

test('the text of a source is copied as it is', (t) => {
  const config = '{ "auths": { "reg.example.com/path": {"auth":"cm9ib3Q6QQ=="} }, "credsStore": "desktop" }\n';
  t.equal(readSourceSecret('ns/source', secretOf(config), host).encoded, base64(config));
  const written = dockerConfigJson([{ host, credential: { ...login, expiresAt: null } }]);
  t.equal(readSourceSecret('ns/source', secretOf(written), host).mismatch, null, 'what is written here is read back');
  t.end();
});

test('a Secret that no kubelet can use: the problem, without its content', (t) => {
  const table: { name: string; secret: Parameters<typeof readSourceSecret>[1]; code: string; message: RegExp }[] = [
    {
      name: 'Opaque',
      secret: { data: { password: base64(password) } },
      code: 'SECRET_TYPE',
      message:
        /ns\/source has the type Opaque and not kubernetes.io\/dockerconfigjson; create it with `kubectl create secret docker-registry`/,
    },
    { name: 'no data', secret: { type: dockerConfigType }, code: 'SECRET_UNREADABLE', message: /has no key \.dockerconfigjson/ },
    // JSON.parse quotes the start of what it cannot read.
    { name: 'not JSON', secret: secretOf(password), code: 'SECRET_UNREADABLE', message: /a \.dockerconfigjson that is not JSON/ },
    { name: 'half a JSON', secret: secretOf(`{"auths":{"a":"${password}"`), code: 'SECRET_UNREADABLE', message: /is not JSON/ },
    { name: 'a list', secret: secretOf([password]), code: 'SECRET_UNREADABLE', message: /is not a JSON object/ },
    { name: 'no auths', secret: secretOf({ password }), code: 'SECRET_WITHOUT_AUTHS', message: /no password in its auths/ },
    { name: 'auths is a list', secret: secretOf({ auths: [password] }), code: 'SECRET_UNREADABLE', message: /auths that is not an object/ },
    { name: 'empty auths', secret: secretOf({ auths: {} }), code: 'SECRET_WITHOUT_AUTHS', message: /no password in its auths/ },
    {
      name: 'a credential store',
      secret: secretOf({ auths: { 'quay.io': {} }, credsStore: 'desktop' }),
      code: 'SECRET_WITHOUT_AUTHS',
      message: /neither a credential store nor an identity token/,
    },
    {
      name: 'an entry that is a text',
      secret: secretOf({ auths: { 'quay.io': password } }),
      code: 'SECRET_UNREADABLE',
      message: /auths\["quay.io"\] that is not an object/,
    },
    {
      name: 'a user that is a number',
      secret: secretOf({ auths: { 'quay.io': { username: 1, password } } }),
      code: 'SECRET_UNREADABLE',
      message: /auths\["quay.io"\]\.username that is not a string/,
    },
    {
      name: 'auth without a colon',
      secret: secretOf({ auths: { 'quay.io': { auth: base64(password) } } }),
      code: 'SECRET_UNREADABLE',
      message: /auths\["quay.io"\]\.auth that is not base64 of user:password/,
    },
    {
      name: 'a user without a password',
      secret: secretOf({ auths: { 'quay.io': { username: password } } }),
      code: 'SECRET_WITHOUT_AUTHS',
      message: /no password/,
    },
  ];
  for (const { name, secret, code, message } of table) {
    const error = thrownBy(() => readSourceSecret('ns/source', secret, host));
    t.ok(error instanceof CredentialError, name);
    t.match(error, { code, message }, name);
    const shown = inspect(error, { depth: 9, showHidden: true });
    t.notOk(shown.includes(password) || shown.includes(base64(password)), `${name}: nothing of the content`);
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
