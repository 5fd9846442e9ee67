import { readFileSync } from 'node:fs';
import { test } from 'tap';
import type { CloudCredentialsPolicy } from '../../src/registry/cloud.ts';
import { cloudNames, createCloudProvider } from '../../src/registry/clouds.ts';

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
      t.throws(() => createCloudProvider(policy, host), {
        code: 'CREDENTIAL_INVALID',
        message: new RegExp(`${policy.provider} are for the registry's .host.`),
      });
    else t.equal(createCloudProvider(policy, host).name, name);
  }
  t.end();
});

test('every cloud passes the conformance suite', (t) => {
  for (const name of cloudNames) {
    const tests = readFileSync(new URL(`${name}.test.ts`, import.meta.url), 'utf8');
    t.match(tests, `conforms('${name}'`, `${name}.test.ts runs conforms()`);
  }
  t.end();
});
