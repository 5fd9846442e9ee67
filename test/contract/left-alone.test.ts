import { writeFileSync } from 'node:fs';
import { test } from 'tap';

import { shippedImageManagers } from '../../src/policy/image-managers.ts';
import { createDryRun, eventually, podWith } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { hubPolicy, imagesOf, running } from './running.ts';

const rewritten = 'mirror.example.com/library/nginx';

test('pods and images that are better left alone', { skip: skipReason({ level: 1 }) }, async (group) => {
  const { plane, serving } = await running(group);
  await plane.createNamespace('shop', labelled('enabled'));
  const admitted = async (metadata: object, container: object = {}) => {
    const pod = podWith('nginx', metadata);
    const containers = pod.spec.containers.map((each) => ({ ...each, ...container }));
    const { status, body, warnings } = await createDryRun(plane, 'shop', { ...pod, spec: { ...pod.spec, containers } });
    return { status, image: imagesOf(body)['main'], warnings };
  };

  await group.test('an image that was loaded into the node, and one that Velero takes from a rewritten pod', async (t) => {
    const never = { imagePullPolicy: 'Never' };
    t.match(await admitted({}, never), {
      status: 201,
      image: 'nginx',
      warnings: [/^transship: main: left alone: with imagePullPolicy Never/],
    });
    const velero = { labels: { 'velero.io/exposer-pod-group': 'snapshot-exposer' } };
    t.same(await admitted(velero, never), { status: 201, image: rewritten, warnings: [] });
  });

  await group.test('a placeholder of an injector', async (t) => {
    t.same(await admitted({}, { image: 'auto' }), { status: 201, image: 'auto', warnings: [] });
  });

  await group.test('an image manager whose exclusion is off: its pods are rewritten, each with one warning', async (t) => {
    const off = shippedImageManagers.map(({ name }) => `{ name: ${name}, exclude: false }`);
    const acme = '{ name: acme, podSelector: { matchExpressions: [{ key: acme.example/managed, operator: Exists }] } }';
    const metadata = { labels: { 'cnpg.io/cluster': 'db' } };
    t.same(await admitted(metadata), { status: 201, image: 'nginx', warnings: [] });
    writeFileSync(serving.policyFile, `${hubPolicy}imageManagers: [${[...off, acme].join(', ')}]\n`);
    await eventually('the changed policy is in force', async () => (await admitted(metadata)).image === rewritten);
    t.match(await admitted(metadata), { warnings: [/^transship: the pod belongs to cloudnative-pg, which may recreate it/] });
    t.same(
      await admitted({ labels: { 'acme.example/managed': '' } }),
      { status: 201, image: 'nginx', warnings: [] },
      'one that the policy adds',
    );
  });
});
