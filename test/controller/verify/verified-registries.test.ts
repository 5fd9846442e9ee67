import { test } from 'tap';

import { secretsOf } from '../../../src/controller/verify/registry-credentials.ts';
import { registryOf, verifiedRegistries } from '../../../src/controller/verify/verified-registries.ts';
import { referenceOf } from '../../../src/image/reference.ts';
import { compiled } from '../../rules/policy.ts';

const service = (port: string | number, via: 'localhost' | 'nodeIP' = 'localhost') => ({
  service: { namespace: 'tools', name: 'registry', port, via },
});

test('where the API of a registry is', (t) => {
  const registries = {
    remote: { host: 'mirror.example/hub', verify: true },
    hub: { host: 'docker.io', verify: true },
    loopback: { host: 'localhost:5000', verify: true },
    service: { hostFrom: service(5000), verify: true },
    named: { hostFrom: service('http'), verify: true },
    node: { hostFrom: service(5000, 'nodeIP'), verify: true },
    dev: { hostFrom: { localRegistryHosting: true as const }, host: 'localhost:5001', verify: true },
    late: { hostFrom: service(5000), verify: true },
    quiet: { host: 'quiet.example' },
  };
  const hosts = { service: 'localhost:30500', named: 'localhost:30501', node: '10.0.0.7:30502' };
  const found = verifiedRegistries(compiled({ registries }, hosts)).map(({ name, origin }) => [name, origin]);
  t.strictSame(Object.fromEntries(found), {
    remote: 'https://mirror.example',
    hub: 'https://registry-1.docker.io',
    loopback: 'http://localhost:5000',
    service: 'http://registry.tools.svc:5000',
    named: 'http://localhost:30501',
    node: 'https://10.0.0.7:30502',
    dev: 'http://localhost:5001',
    late: null,
  });
  t.end();
});

test('which registry an image is in', (t) => {
  const registries = {
    whole: { host: 'a.example', verify: true },
    part: { host: 'a.example/team', verify: true },
    quiet: { host: 'b.example' },
    late: { hostFrom: service(5000), verify: true },
  };
  const verified = verifiedRegistries(compiled({ registries }));
  const table: Readonly<Record<string, string | null>> = {
    'a.example/app:1': 'whole',
    'A.EXAMPLE/app:1': 'whole',
    'a.example/team/app:1': 'part',
    'a.example/teams/app:1': 'whole',
    'a.example:443/app:1': null,
    'b.example/app:1': null,
    'localhost:30500/app:1': null,
    'nginx:1': null,
  };
  for (const [image, expected] of Object.entries(table)) {
    const reference = referenceOf(image);
    t.equal(reference === null ? undefined : (registryOf(verified, reference)?.name ?? null), expected, image);
  }
  t.end();
});

test('which Secrets hold the credentials', (t) => {
  const { registries } = compiled({
    registries: {
      own: { host: 'a.example', pullSecrets: ['one', 'two'] },
      copied: { host: 'b.example', pullSecrets: ['copy'], credentials: { secret: 'source' } },
      cloud: { host: 'c.example', pullSecrets: ['token'], credentials: { provider: 'gar' } },
    },
  }).policy;
  t.strictSame(Object.fromEntries(Object.entries(registries).map(([name, registry]) => [name, secretsOf(registry)])), {
    own: ['one', 'two'],
    copied: ['source'],
    cloud: [],
  });
  t.end();
});
