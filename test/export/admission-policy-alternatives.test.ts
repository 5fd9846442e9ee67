/** Rules with alternatives: a new pod gets the pull secrets of all targets of the rule that decided, in the compiled policy and in the engine. */
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { startCluster, type PodBody } from './equality.ts';

tap.setTimeout(180_000);

const policy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  first: { host: first.example, pullSecrets: [of-first] }
  second: { host: second.example/hub, pullSecrets: [of-second, shared] }
  deep: { host: second.example/hub/deep, pullSecrets: [of-deep] }
  third: { host: 'third.example:5000', pullSecrets: [shared, of-third] }
  named: { host: named.example, pullSecrets: [of-named] }
  plain: { host: plain.example }
  later: { hostFrom: { localRegistryHosting: true }, pullSecrets: [of-later] }
rules:
  - { name: attach, match: { images: [second.example/hub/attached] }, pullSecrets: [attached] }
  - { name: hub, match: { images: [docker.io] }, pullSecrets: [own], rewrite: { registry: first, as: path },
      alternatives: [{ registry: second, as: path }, { registry: third, as: singleRepository, repository: all }, { registry: later, as: path }] }
  - { name: ports, match: { images: ['reg.example:*'] }, rewrite: { registry: plain, as: path },
      alternatives: [{ registry: third, as: fullName }, { registry: first, as: escape }] }
  - { name: same, match: { images: [quay.io/one] }, rewrite: { registry: first, as: remainder, prefix: one },
      alternatives: [{ as: image, image: first.example/one/app, registry: named }, { as: image, image: plain.example/one, registry: named }] }
  - { name: rest, match: { images: [{ regex: '^quay\\\\.io/(team-[a-z]|(?i)acme)' }, quay.io/*/x] }, rewrite: { registry: plain, as: remainder, prefix: r },
      alternatives: [{ registry: deep, as: remainder }, { registry: second, as: flatten }] }
  - { name: alone, match: { images: [gcr.io] }, rewrite: { registry: third, as: path } }
  - { name: whole, match: { images: ['*'], podLabels: { whole: name } }, rewrite: { registry: plain, as: remainder } }
  - { name: without, match: { images: [ghcr.io] }, rewrite: { registry: plain, as: path }, alternatives: [{ registry: plain, as: fullName }] }
`;

const digest = `@sha256:${'0a'.repeat(32)}`;
const images = [
  'nginx',
  'nginx:1',
  `nginx${digest}`,
  `nginx:${'t'.repeat(125)}`,
  'attached/app:1',
  'deep/app:1',
  `docker.io/${'a'.repeat(240)}`,
  'reg.example/a:1',
  'reg.example:8443/a:1',
  'quay.io/one/app',
  'quay.io/one/app:1',
  'quay.io/one/other',
  'quay.io/team-a',
  'quay.io/team-a/app:1',
  'Quay.IO/team-a/app:team-b',
  'quay.io/team-app',
  'quay.io/ACME/x',
  'quay.io/b/x',
  'quay.io/b/x/y:1',
  'gcr.io/a',
  'ghcr.io/a',
  'second.example/hub/deep/x',
  'second.example/hub/attached/x',
  'other.example/x',
];

const podOf = (chosen: readonly string[], imagePullSecrets: readonly string[]): PodBody => ({
  metadata: { name: 'web' },
  spec: {
    containers: chosen.map((image, index) => ({ name: `c-${index}`, image })),
    volumes: [{ name: 'v', image: { reference: chosen.at(-1) } }],
    ...(imagePullSecrets.length > 0 && { imagePullSecrets: imagePullSecrets.map((name) => ({ name })) }),
  },
});

const states: readonly (readonly [says: string, hosts: string])[] = [
  ['all are reached', ''],
  ['the first is not', 'first: { unavailable: true }\n'],
  ['the first and the second are not', 'first: { unavailable: true }\nsecond: { unavailable: true }\n'],
  ['one more has a host', 'later: later.example\n'],
];

test('pull secrets of alternatives', { skip: skipReason({ level: 1 }) }, async (t) => {
  const cluster = await startCluster(t);
  for (const [says, hosts] of states) {
    const admission = await cluster.enforce(policy, { hosts, followsHosts: true });
    for (const image of images) t.equal(await admission.created(podOf([image], [])), null, `${says}: ${image}`);
    for (const present of [['of-second'], ['own', 'shared', 'x'], ['of-first', 'own', 'of-second', 'shared', 'of-third']])
      t.equal(await admission.created(podOf(images, present)), null, `${says}: ${present.join()}`);
    const whole = { ...podOf(['x.example/a:1', 'x.example:8443/a:1'], []), metadata: { name: 'web', labels: { whole: 'name' } } };
    t.equal(await admission.created(whole), null, 'a path with the port of a host was taken for an image reference');
    const stored = await admission.store({ ...podOf(['other.example/x'], ['own']), metadata: { name: 'stored' } });
    for (const image of images) {
      const changed = (pod: typeof stored): typeof stored => {
        const [main] = pod.spec['containers'] as object[];
        return { ...pod, spec: { ...pod.spec, containers: [{ ...main, image }] } };
      };
      t.equal(await admission.updated(stored, changed), null, `${says}: an update to ${image}`);
      t.equal(await admission.debugged(stored, [{ name: 'debug', image }]), null, `${says}: a debug container ${image}`);
    }
    t.ok(admission.changes() > 40, `${admission.changes()} pods were changed`);
  }
});
