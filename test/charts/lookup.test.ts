/** What the chart finds in the cluster at an install, and refuses with a sentence. `helm template` sees none of it. */
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import type { CommandError } from '../cluster/commands.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { chartFolder, release, type Values } from './chart.ts';

const registries = (fields: object) => ({ one: { host: 'r.example.com', ...fields } });
const withCredentials = registries({ pullSecrets: ['pull'], credentials: { secret: 'source' } });
const withHostFrom = registries({ hostFrom: { localRegistryHosting: true } });

const policyIn = (existingConfigMap: string, features: object = {}) => ({
  rewritePolicy: { existingConfigMap },
  controller: { features },
});

test('an install goes by what is there', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  await plane.createNamespace(release.namespace, { 'pod-security.kubernetes.io/enforce': 'baseline' });
  for (const [name, policy] of [
    ['with-credentials', { registries: withCredentials }],
    ['with-host-from', { registries: withHostFrom }],
    ['plain', { registries: registries({}) }],
    ['broken', 'registries: ['],
  ] as const) {
    const text = typeof policy === 'string' ? policy : JSON.stringify({ apiVersion: 'transship.dev/v1', kind: 'RewritePolicy', ...policy });
    const map = { metadata: { name }, data: { 'policy.yaml': text } };
    await plane.api.send('POST', `/api/v1/namespaces/${release.namespace}/configmaps`, map);
  }
  const left = { metadata: { name: 'transship-hosts' }, data: { 'breakers.yaml': 'mirror: { state: open }' } };
  await plane.api.send('POST', `/api/v1/namespaces/${release.namespace}/configmaps`, left);
  const dryRun = (values: Values): Promise<string> =>
    plane
      .helm(['install', release.name, chartFolder, '-n', release.namespace, '--dry-run=server', '--values', '-'], {
        input: JSON.stringify(values),
      })
      .then(
        () => '',
        (error: CommandError) => error.stderr,
      );
  const rows: readonly (readonly [says: string, values: Values, sentence: string])[] = [
    [
      'credentials, with auto: nothing was copied, and nothing said so',
      policyIn('with-credentials'),
      'registry one in ConfigMap with-credentials has credentials, and controller.features.secrets is auto',
    ],
    ['credentials, and the controller copies', policyIn('with-credentials', { secrets: true }), ''],
    ['credentials, and somebody else copies', policyIn('with-credentials', { secrets: false }), ''],
    [
      'hostFrom, with auto',
      policyIn('with-host-from'),
      'registry one in ConfigMap with-host-from has hostFrom, and controller.features.hosts is auto',
    ],
    ['hostFrom, and the controller resolves', policyIn('with-host-from', { hosts: true }), ''],
    ['neither', policyIn('plain'), ''],
    ['a text that is no YAML is for the linter', policyIn('broken'), ''],
    ['a ConfigMap that comes later', policyIn('later'), ''],
    [
      'a breaker of an earlier installation: its registry stayed unavailable for ever',
      policyIn('plain', { verify: true }),
      `ConfigMap transship-hosts says that registries are unavailable (mirror): nothing would take that back, and new pods would go on to begin with the alternatives. Delete it: kubectl --namespace ${release.namespace} delete configmap transship-hosts`,
    ],
    ['a breaker of an earlier installation, and the controller closes it', policyIn('plain', { verify: true, fallback: true }), ''],
    [
      "the node's network under a standard that forbids it: no pod was ever created",
      { hostNetwork: true },
      'hostNetwork is true and namespace images enforces the Pod Security Standard baseline, which forbids it',
    ],
  ];
  for (const [says, values, sentence] of rows) {
    const stderr = await dryRun(values);
    t.ok(sentence === '' ? stderr === '' : stderr.includes(sentence), `${says}: ${stderr}`);
  }
});

test('an upgrade that disables a feature says what stays, and who may delete it', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  await plane.createNamespace(release.namespace);
  const registry = { host: 'r.example.com', pullSecrets: ['pull'] };
  const policy = (credentials: object) => ({ inline: { registries: { one: { ...registry, ...credentials } } } });
  const helm = async (words: readonly string[], values: Values): Promise<string> =>
    (await plane.helm([...words, release.name, chartFolder, '-n', release.namespace, '--values', '-'], { input: JSON.stringify(values) }))
      .stdout;
  const withSecret = policy({ credentials: { secret: 'source' } });
  const all = { rewritePolicy: withSecret, controller: { features: { verify: true } } };
  t.notMatch(await helm(['install'], all), /now disabled/);
  const upgrade = ['upgrade', '--dry-run=server'];
  t.notMatch(await helm(upgrade, all), /now disabled/);

  const copies =
    /secrets is now disabled.*\n.*stay.*\n.*kubectl get secrets -A -l app.kubernetes.io\/managed-by=transship -L transship.dev\/owner\n.*controller\.features\.secrets=true/;
  const status = /verify is now disabled.*\n +kubectl -n images delete configmap transship-verify --ignore-not-found\n/;
  const noCredentials = await helm(upgrade, { ...all, rewritePolicy: policy({}) });
  t.match(noCredentials, copies, 'auto is off without credentials: the copies stayed, and nothing said so');
  t.notMatch(noCredentials, status);
  const noVerify = await helm(upgrade, { rewritePolicy: withSecret });
  t.match(noVerify, status);
  t.notMatch(noVerify, copies);
  const neither = await helm(upgrade, { rewritePolicy: policy({}), tls: { mode: 'secret', secret: { name: 's', caBundle: 'eA==' } } });
  for (const told of [copies, status, /no controller any more.*\n +kubectl -n images delete lease transship-controller\n/])
    t.match(neither, told);
});
