/** Pods that the match conditions pass over: none that a rule or a pull secret concerns. */
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { startCluster } from './equality.ts';

tap.setTimeout(120_000);

const policy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com/hub, pullSecrets: [one, two] }
  second: { host: 'localhost:30500', pullSecrets: [three] }
rules:
  - { name: hub, match: { images: [docker.io/acme] }, rewrite: { registry: mirror, as: path } }
`;
const images = [
  'acme/web',
  'Docker.io/acme/web:1',
  'nginx',
  'mirror.example.com/hub/x',
  'Mirror.example.com/hub/x',
  'mirror.example.com/other/x',
  'localhost:30500/x',
];
const secrets = [undefined, [], ['one'], ['two', 'one'], ['one', 'two', 'three'], ['three'], ['other']];

test('pods with and without the pull secrets of where their images are', { skip: skipReason({ level: 1 }) }, async (t) => {
  const cluster = await startCluster(t);
  const admission = await cluster.enforce(policy, { matchImages: true });
  for (const first of images)
    for (const second of images)
      for (const names of secrets) {
        const spec = {
          initContainers: [{ name: 'setup', image: first }],
          containers: [{ name: 'main', image: 'ghcr.io/x/y' }],
          volumes: [{ name: 'model', image: { reference: second } }],
          imagePullSecrets: names?.map((name) => ({ name })),
        };
        const difference = await admission.created({ metadata: { name: 'web' }, spec });
        if (difference !== null) t.fail(`${first}, ${second}, ${String(names)}`, difference);
      }
  t.ok(admission.changes() > 200, `${admission.changes()} pods were changed`);
});

test('a policy without rules was refused by the API server; it only looks at records', { skip: skipReason({ level: 1 }) }, async (t) => {
  const cluster = await startCluster(t);
  const admission = await cluster.enforce(policy.slice(0, policy.indexOf('registries')) + 'rules: []\n');
  const annotations = { 'transship.dev/original-images': '{"main":"nginx:1"}', note: 'x' };
  const containers = [{ name: 'main', image: 'mirror.example.com/nginx:1' }];
  const stored = await admission.store({ metadata: { name: 'web', annotations }, spec: { containers } });
  const change = (pod: typeof stored): typeof stored => {
    const [main] = pod.spec['containers'] as object[];
    return { ...pod, spec: { ...pod.spec, containers: [{ ...main, image: 'nginx:2' }] } };
  };
  t.equal(await admission.updated(stored, change), null);
  t.equal(admission.changes(), 1, 'the record is about another image, and goes');
});
