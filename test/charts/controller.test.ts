import { test } from 'tap';

import { loadPolicy } from '../../src/config/load.ts';
import { release, render, skipWithoutHelm, type Rendered, type Values } from './chart.ts';

const options = { skip: skipWithoutHelm };

const where = ({ kind, metadata }: Rendered): string => (kind === 'ClusterRole' ? '*' : (metadata?.namespace ?? ''));

/** `resource verbs names`, of all rules that the controller is given, with the namespace they hold in. */
async function rights(values: Values): Promise<string[]> {
  const { objects } = await render(values);
  const roles = objects.filter(
    ({ kind, metadata }) => kind?.endsWith('Role') && metadata?.labels?.['app.kubernetes.io/component'] === 'controller',
  );
  const lines = roles.flatMap((role): string[] =>
    role['rules'].map((rule: { resources: string[]; resourceNames?: string[]; verbs: string[] }) =>
      [where(role), rule.resources.join(','), rule.verbs.join(','), rule.resourceNames?.join(',') ?? '-'].join(' '),
    ),
  );
  return sorted(lines);
}

const sorted = (lines: readonly string[]): string[] => lines.toSorted((one, other) => one.localeCompare(other));

const withoutPolicy = [
  'images deployments get transship',
  'images events create,patch -',
  'images leases create -',
  'images leases get,update transship-controller',
];
const always = ['images configmaps get transship-policy', ...withoutPolicy];
const certificates = [
  '* mutatingwebhookconfigurations list,watch,patch transship',
  'images secrets create -',
  'images secrets list,watch,patch transship-tls,transship-tls-ca',
];
const secrets = ['* events create,patch -', '* namespaces list,watch -', '* pods list -', '* secrets list,watch,get,create,patch,delete -'];
const movedPods = ['* events create,patch -', '* namespaces list,watch -', '* pods list,watch,patch -'];
const seenPods = ['* namespaces list,watch -', '* pods list,watch -'];
const verified = ['images configmaps create -', 'images configmaps list,watch,patch transship-verify'];
const readHosts = (name = 'transship-hosts'): string => `images configmaps list,watch ${name}`;
const hosts = ['images configmaps create -', 'images configmaps list,watch,patch transship-hosts'];

const policy = (registries: object) => ({ tls: { mode: 'certManager' }, rewritePolicy: { inline: { registries } } });
const service = (name: string, more: object = {}) => ({ hostFrom: { service: { namespace: 'r', name, port: 80, ...more } } });

const rows: readonly (readonly [says: string, values: Values, rights: readonly string[]])[] = [
  ['certificates', {}, [...always, ...certificates]],
  ['no controller', { tls: { mode: 'certManager' } }, []],
  [
    'copies of pull secrets',
    policy({ m: { host: 'm.example.com', pullSecrets: ['p'], credentials: { secret: 's' } } }),
    [...always, ...secrets],
  ],
  [
    'node ports',
    policy({ b: service('two'), a: service('one'), c: service('one') }),
    [...always, ...hosts, '* services list,watch one,two'],
  ],
  [
    'the address of a node',
    policy({ a: service('one', { via: 'nodeIP' }) }),
    [...always, ...hosts, '* services list,watch one', '* nodes list,watch -'],
  ],
  [
    'KEP-1755',
    policy({ a: { hostFrom: { localRegistryHosting: true } } }),
    [...always, ...hosts, 'kube-public configmaps list,watch local-registry-hosting'],
  ],
  [
    'hosts of a policy that the render cannot see',
    { tls: { mode: 'certManager' }, rewritePolicy: { existingConfigMap: 'own' }, controller: { features: { hosts: true } } },
    [
      'images configmaps get own',
      ...withoutPolicy,
      ...hosts,
      '* services list,watch -',
      '* nodes list,watch -',
      'kube-public configmaps list,watch local-registry-hosting',
    ],
  ],
  ['fallback', { tls: { mode: 'certManager' }, controller: { features: { fallback: true } } }, [...always, ...movedPods, ...hosts]],
  [
    'fallback with hosts that another program writes',
    { tls: { mode: 'certManager' }, resolvedHosts: { configMap: 'theirs' }, controller: { features: { fallback: true } } },
    [...always, ...movedPods, readHosts('theirs')],
  ],
  [
    'fallback and hosts',
    { ...policy({ a: service('one') }), controller: { features: { fallback: true } } },
    [...always, ...movedPods, ...hosts, '* services list,watch one'],
  ],
  [
    'fallback and copies of pull secrets',
    {
      ...policy({ m: { host: 'm.example.com', pullSecrets: ['p'], credentials: { secret: 's' } } }),
      controller: { features: { fallback: true } },
    },
    [...always, ...secrets, '* pods list,watch,patch -', ...hosts],
  ],
  [
    'verify',
    { ...policy({ m: { host: 'm.example.com' } }), controller: { features: { verify: true } } },
    [...always, ...seenPods, readHosts(), ...verified],
  ],
  [
    'verify with pull secrets',
    {
      ...policy({
        a: { host: 'a.example.com', verify: true, pullSecrets: ['two', 'one'] },
        b: { host: 'b.example.com', pullSecrets: ['other'] },
      }),
      controller: { features: { verify: true } },
    },
    [...always, ...seenPods, readHosts(), ...verified, 'images secrets list,watch one,two'],
  ],
  [
    'verify with a policy that the render cannot see',
    { tls: { mode: 'certManager' }, rewritePolicy: { existingConfigMap: 'own' }, controller: { features: { verify: true } } },
    ['images configmaps get own', ...withoutPolicy, ...seenPods, readHosts(), ...verified, 'images secrets list,watch -'],
  ],
  [
    'verify and fallback: the right to create ConfigMaps was there twice',
    { ...policy({ m: { host: 'm.example.com' } }), controller: { features: { fallback: true, verify: true } } },
    [...always, ...movedPods, ...hosts, 'images configmaps list,watch,patch transship-verify'],
  ],
  [
    'verify, fallback, hosts and copies of pull secrets',
    {
      ...policy({ a: service('one'), m: { host: 'm.example.com', pullSecrets: ['p'], credentials: { secret: 's' }, verify: true } }),
      controller: { features: { fallback: true, verify: true } },
    },
    [
      ...always,
      ...secrets,
      '* pods list,watch,patch -',
      ...hosts,
      '* services list,watch one',
      'images configmaps list,watch,patch transship-verify',
    ],
  ],
  ['rights that are granted elsewhere', { controller: { rbac: { create: false } } }, []],
];

test('the rights of the controller are those that its features need', options, async (t) => {
  for (const [says, values, expected] of rows) t.same(await rights(values), sorted(expected), says);
});

const policyOf = async (values: Values) =>
  loadPolicy((await render(values)).one('ConfigMap', `${release.name}-policy`)['data']['policy.yaml'], 'policy.yaml');

test('a local registry is a registry of the policy', options, async (t) => {
  const entry = { hostFrom: { service: { namespace: release.namespace, name: 'transship-registry', port: 'registry', via: 'localhost' } } };
  const users = { htpasswdSecret: 'users', pullSecret: 'pull' };
  const table: readonly (readonly [says: string, values: Values, local: object | undefined])[] = [
    ['a port that Kubernetes chooses', { localRegistry: { enabled: true } }, entry],
    ['a fixed port', { localRegistry: { enabled: true, nodePort: 30500 } }, { ...entry, host: 'localhost:30500' }],
    [
      'users',
      { localRegistry: { enabled: true, nodePort: 30500, auth: users } },
      { ...entry, pullSecrets: ['pull'], credentials: { secret: 'pull' } },
    ],
    [
      'an entry of ones own',
      { localRegistry: { enabled: true }, rewritePolicy: { inline: { registries: { local: { host: 'own.example.com' } } } } },
      { host: 'own.example.com' },
    ],
    [
      'beside others',
      { localRegistry: { enabled: true }, rewritePolicy: { inline: { registries: { other: { host: 'o.example.com' } } } } },
      entry,
    ],
    ['not asked for', {}, undefined],
  ];
  for (const [says, values, local] of table) {
    const { findings, compiled } = await policyOf(values);
    t.same(
      findings.filter(({ severity }) => severity === 'error'),
      [],
      says,
    );
    t.match(compiled?.policy.registries['local'], local, says);
  }
});

test('a policy given as text is not changed: its author adds the registry', options, async (t) => {
  const rendered = await render({
    localRegistry: { enabled: true },
    rewritePolicy: { inline: '# mine\napiVersion: transship.dev/v1\nkind: RewritePolicy\n' },
  });
  t.equal(
    rendered.one('ConfigMap', 'transship-policy')['data']['policy.yaml'],
    '# mine\napiVersion: transship.dev/v1\nkind: RewritePolicy\n',
  );
});
