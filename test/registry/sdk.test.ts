import { readFileSync } from 'node:fs';
import { test } from 'tap';
import { cloudProvider, type CloudCredentialsPolicy } from '../../src/registry/provider.ts';
import { loadSdk, sdkPackages } from '../../src/registry/sdk.ts';
import { withoutSdk } from './conformance.ts';

test('an SDK that is not installed: what to install', async (t) => {
  await t.rejects(loadSdk('ecr', { name: '@transship/not-there', version: '1.2.3' }), {
    name: 'CredentialError',
    code: 'SDK_MISSING',
    message:
      'credentials of provider ecr need the package @transship/not-there, which is not installed; add it to the image with `npm install @transship/not-there@1.2.3` (docs/guides/cloud-registries.md)',
  });
});

test('an SDK that breaks while it loads is not called absent', async (t) => {
  await t.rejects(loadSdk('acr', { name: 'data:text/javascript,throw new Error()', version: '1.2.3' }), {
    code: 'SDK_MISSING',
    message: /cannot be loaded/,
  });
});

const guide = readFileSync(new URL('../../docs/guides/cloud-registries.md', import.meta.url), 'utf8');

for (const cloud of ['ecr', 'gar', 'acr'] as const) {
  const { name, version } = sdkPackages[cloud];
  test(`the guide installs the ${name} that the message names`, (t) => {
    t.ok(guide.includes(`${name}@${version}`));
    t.end();
  });
  test(`the tests of ${cloud} run against that one`, { skip: withoutSdk(cloud) }, (t) => {
    t.equal(installedVersion(name), version);
    t.end();
  });
}

/** The packages do not all export their package.json: the folder is what stands before the name's end in the path of the entry. */
function installedVersion(name: string): unknown {
  const entry = import.meta.resolve(name);
  const folder = entry.slice(0, entry.lastIndexOf(`/node_modules/${name}/`) + `/node_modules/${name}/`.length);
  return (JSON.parse(readFileSync(new URL('package.json', folder), 'utf8')) as { version: unknown }).version;
}

test('from the policy to the provider', (t) => {
  const table: { policy: CloudCredentialsPolicy; host: string | undefined; name: string | null }[] = [
    { policy: { provider: 'ecr', region: 'eu-west-1' }, host: undefined, name: 'ecr' },
    { policy: { provider: 'ecr', region: 'eu-west-1', registryIds: ['111122223333'] }, host: 'mirror.example.com/hub', name: 'ecr' },
    { policy: { provider: 'gar' }, host: 'europe-west1-docker.pkg.dev/project/mirror', name: 'gar' },
    { policy: { provider: 'acr', tenantId: 'tenant' }, host: 'example.azurecr.io', name: 'acr' },
    { policy: { provider: 'gar' }, host: undefined, name: null },
    { policy: { provider: 'acr' }, host: undefined, name: null },
  ];
  for (const { policy, host, name } of table) {
    if (name === null)
      t.throws(() => cloudProvider(policy, host), {
        code: 'CREDENTIAL_INVALID',
        message: new RegExp(`${policy.provider} are for the registry's .host.`),
      });
    else t.equal(cloudProvider(policy, host).name, name);
  }
  t.end();
});
