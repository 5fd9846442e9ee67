/** The breaker on a real node with two registries: once several pods could not reach the first, new ones begin with the second. */
import type { V1ConfigMap } from '@kubernetes/client-node';
import t from 'tap';

import { becomes, install, type Policy } from './harness/install.ts';
import { startNode, type TestNode } from './harness/node.ts';
import { poll } from './harness/poll.ts';
import { createPullSecret, pushOpen, pushPrivate } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { openRegistry } from './harness/settings.ts';
import { apply, createNamespace, imagesOf, running, template } from './harness/workloads.ts';

const mirror = 'mirror.example.com';
const backup = `${openRegistry.address}/copies`;
const namespace = 'shop';
const policy: Policy = {
  registries: {
    mirror: { host: mirror, pullSecrets: ['mirror-pull'], credentials: { secret: 'mirror-account' } },
    backup: { host: backup },
  },
  rules: [
    {
      name: 'quay',
      match: { images: ['quay.io'] },
      rewrite: { registry: 'mirror', as: 'path' },
      alternatives: [{ registry: 'backup', as: 'path' }],
    },
  ],
};
/** An image that the node has runs without a pull. */
const image = (name: string): string => `acme/${name}:1`;

async function start(node: TestNode, name: string): Promise<void> {
  const { metadata, spec } = template(name, `quay.io/${image(name)}`);
  await apply(node, { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace }, spec });
}

/** Messages of the events with this reason about an object. */
async function told(node: TestNode, reason: string, object: string, where = namespace): Promise<string[]> {
  const selector = `--field-selector=reason=${reason},involvedObject.name=${object}`;
  const { stdout } = await node.kubectl(['get', 'events', '--namespace', where, selector, '--output=json']);
  return (JSON.parse(stdout) as { items: { message: string }[] }).items.map(({ message }) => message);
}

async function hosts(node: TestNode): Promise<V1ConfigMap['data']> {
  const { stdout } = await node.kubectl(['get', 'configmap', 'transship-hosts', '--namespace', 'transship', '--output=json']);
  return (JSON.parse(stdout) as V1ConfigMap).data;
}

t.test('the mirror is stopped, and comes back', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  sendToPrivateRegistry(node.folder, mirror);
  const failing = ['one', 'two', 'three'];
  for (const name of [...failing, 'first', 'next', 'back']) {
    await pushPrivate(node, image(name));
    await pushOpen(node, `copies/${image(name)}`);
  }
  await node.kubectl(['create', 'namespace', 'transship']);
  await createPullSecret(node, { name: 'mirror-account', namespace: 'transship', host: mirror });
  await install(node, {
    rewritePolicy: { inline: policy },
    controller: { features: { fallback: true }, fallback: { breaker: { interval: '40s' } } },
  });
  await createNamespace(node, namespace);
  await becomes(node, namespace, [`quay.io/${image('first')}`, `${mirror}/${image('first')}`]);
  await start(node, 'first');
  tt.strictSame(imagesOf(await running(node, namespace, 'first')), [`${mirror}/${image('first')}`]);

  await node.stopComponent('registry-private');
  for (const name of failing) await start(node, name);
  for (const name of failing) {
    tt.strictSame(imagesOf(await running(node, namespace, name)), [`${backup}/${image(name)}`], name);
    tt.match(await told(node, 'ImageFellBack', name), [/does not answer the node/], name);
  }
  await poll('the breaker is open', async () => (await hosts(node))?.['breakers.yaml']?.includes('state: open') || undefined);
  tt.match(await told(node, 'TargetUnavailable', 'transship-hosts', 'transship'), [
    /registry mirror is unavailable since .* \(unreachable\)/,
  ]);

  await becomes(node, namespace, [`quay.io/${image('next')}`, `${backup}/${image('next')}`]);
  await start(node, 'next');
  tt.strictSame(imagesOf(await running(node, namespace, 'next')), [`${backup}/${image('next')}`]);
  tt.strictSame(await told(node, 'ImageFellBack', 'next'), [], 'it began there');
  tt.strictSame(await told(node, 'Failed', 'next'), [], 'and no pull failed');

  node.startComponent('registry-private');
  await becomes(node, namespace, [`quay.io/${image('back')}`, `${mirror}/${image('back')}`]);
  await start(node, 'back');
  tt.strictSame(imagesOf(await running(node, namespace, 'back')), [`${mirror}/${image('back')}`]);
  await poll('the breaker is closed', async () => ((await hosts(node))?.['breakers.yaml'] === undefined ? true : undefined));
  tt.match(await told(node, 'TargetAvailable', 'transship-hosts', 'transship'), [/registry mirror/]);
});
