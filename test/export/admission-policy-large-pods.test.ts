/** Pods that are larger than most, within the API server's budget for expressions: what docs/guides/without-a-webhook.md promises. */
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { startCluster, type PodBody } from './equality.ts';
import { broadPolicy } from './spellings.ts';

tap.setTimeout(180_000);

const policy = (rule: string): string => `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  first: { host: first.example, pullSecrets: [of-first] }
  second: { host: second.example/hub, pullSecrets: [of-second, shared] }
  third: { host: 'third.example:5000', pullSecrets: [shared, of-third] }
rules:
  - { name: hub, match: { images: [docker.io] }, pullSecrets: [own], rewrite: { registry: first, as: path }${rule} }
`;

const policies: readonly (readonly [says: string, policy: string])[] = [
  ['one rule', policy('')],
  ['most of what can be compiled', broadPolicy],
  ['alternatives with pull secrets', policy(', alternatives: [{ registry: second, as: path }, { registry: third, as: path }]')],
];

/** Containers of the largest pod that is created, and of the largest whose images are all changed by one update. */
const created = Number(process.env['TRANSSHIP_LARGE_POD'] ?? '300');
const updated = Number(process.env['TRANSSHIP_LARGE_UPDATE'] ?? '200');

const podOf = (count: number, name: string, tag: string): PodBody => ({
  metadata: { name, labels: { 'transship.dev/rewrite': 'disabled' } },
  spec: {
    containers: Array.from({ length: count }, (_, index) => ({ name: `container-${index}`, image: `bitnami/application-${index}:${tag}` })),
  },
});

const optedIn = (pod: PodBody): PodBody => ({ ...pod, metadata: { ...pod.metadata, labels: {} } });

test('large pods', { skip: skipReason({ level: 1 }) }, async (t) => {
  const cluster = await startCluster(t);
  for (const [says, text] of policies) {
    const admission = await cluster.enforce(text);
    t.equal(await admission.created(optedIn(podOf(created, 'created', '1.0.0'))), null, `${says}: ${created} containers`);
    const stored = await admission.store(podOf(updated, 'updated', '1.0.0'));
    const change = (pod: typeof stored): typeof stored => {
      const containers = (pod.spec['containers'] as { image: string }[]).map((each) =>
        Object.assign({}, each, { image: each.image.replace('1.0.0', '2.0.0') }),
      );
      return { ...pod, metadata: { ...pod.metadata, labels: {} }, spec: { ...pod.spec, containers } };
    };
    t.equal(await admission.updated(stored, change), null, `${says}: an update of ${updated} images`);
    t.ok(admission.changes() >= 2, `${says}: both are changed`);
  }
});
