/** The mirror is down, or transship is to be switched off in a hurry: what the guide says then, without a controller in the cluster. */
import { renameSync, writeFileSync } from 'node:fs';
import { test } from 'tap';

import { createDryRun, eventually, podWith } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { hubPolicy, imagesOf, running } from './running.ts';

test('ways out, from the smallest to the largest', { skip: skipReason({ level: 1 }) }, async (t) => {
  const { plane, serving, upgrade } = await running(t);
  await plane.createNamespace('shop', labelled('enabled'));
  await plane.createNamespace('other', labelled('enabled'));
  const imageIn = async (namespace: string, metadata: object = {}): Promise<string | undefined> =>
    imagesOf((await createDryRun(plane, namespace, podWith('nginx:1.27', metadata))).body)['main'];
  const becomes = (namespace: string, image: string) => eventually(image, async () => (await imageIn(namespace)) === image);
  const follow = (policy: string): void => {
    writeFileSync(`${serving.policyFile}.new`, policy);
    renameSync(`${serving.policyFile}.new`, serving.policyFile);
  };
  const mirrored = 'mirror.example.com/library/nginx:1.27';
  t.equal(await imageIn('shop'), mirrored, 'without a controller, pods are rewritten');

  t.equal(await imageIn('shop', { labels: { 'transship.dev/rewrite': 'disabled' } }), 'nginx:1.27', 'one workload');

  follow(hubPolicy.replace('docker.io', 'quay.io'));
  await becomes('shop', 'nginx:1.27');
  follow(hubPolicy.replace('mirror.example.com', 'backup.example.com'));
  await becomes('shop', 'backup.example.com/library/nginx:1.27');
  follow(hubPolicy);
  await becomes('shop', mirrored);

  await plane.kubectl(['label', 'namespace', 'shop', 'transship.dev/rewrite=disabled', '--overwrite']);
  await becomes('shop', 'nginx:1.27');
  t.equal(await imageIn('other'), mirrored, 'the other namespace is as before');

  await upgrade({ rewritePolicy: { inline: hubPolicy }, failurePolicy: 'Fail' });
  await serving.kill();
  await eventually('a pod is refused', async () => (await createDryRun(plane, 'other', podWith('nginx'))).status === 500);
  await upgrade({ rewritePolicy: { inline: hubPolicy }, failurePolicy: 'Ignore' });
  await becomes('other', 'nginx:1.27');

  await upgrade({ rewritePolicy: { inline: hubPolicy }, failurePolicy: 'Fail' });
  await eventually('a pod is refused', async () => (await createDryRun(plane, 'other', podWith('nginx'))).status === 500);
  await plane.kubectl(['delete', 'mutatingwebhookconfiguration', '-l', 'app.kubernetes.io/part-of=transship']);
  await becomes('other', 'nginx:1.27');
});
