/** The feature `fallback` on a real node with two registries: what the kubelet cannot pull from the first runs from the second. */
import type { V1Container, V1Pod } from '@kubernetes/client-node';
import t from 'tap';

import { becomes, install, type Policy } from './harness/install.ts';
import { startNode, type TestNode } from './harness/node.ts';
import { poll } from './harness/poll.ts';
import { createPullSecret, pushOpen, pushPrivate, setPassword } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { openRegistry, privateRegistry } from './harness/settings.ts';
import { apply, createNamespace, imagesOf, running, template } from './harness/workloads.ts';

const mirror = 'mirror.example.com';
const backup = `${openRegistry.address}/copies`;
const namespace = 'shop';
const alternatives = [{ registry: 'backup', as: 'path' }];
const policy: Policy = {
  registries: {
    mirror: { host: mirror, pullSecrets: ['mirror-pull'], credentials: { secret: 'mirror-account' } },
    nowhere: { host: 'no.such.host.example' },
    backup: { host: backup },
  },
  rules: [
    { name: 'quay', match: { images: ['quay.io'] }, rewrite: { registry: 'mirror', as: 'path' }, alternatives },
    { name: 'ghcr', match: { images: ['ghcr.io'] }, rewrite: { registry: 'nowhere', as: 'path' }, alternatives },
    {
      name: 'local',
      match: { images: [`${openRegistry.address}/source`] },
      rewrite: { registry: 'mirror', as: 'path' },
      alternatives: [{ as: 'original' }],
    },
  ],
};

async function start(node: TestNode, name: string, main: string, initContainers: readonly V1Container[] = []): Promise<void> {
  const { metadata, spec } = template(name, main);
  await apply(node, { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace }, spec: { ...spec, initContainers } });
}

/** The reasons of the steps, as the events on the pod have them. */
async function told(node: TestNode, pod: string): Promise<string[]> {
  const words = [
    'get',
    'events',
    '--namespace',
    namespace,
    `--field-selector=reason=ImageFellBack,involvedObject.name=${pod}`,
    '--output=json',
  ];
  const { items } = JSON.parse((await node.kubectl(words)).stdout) as { items: { message: string }[] };
  return items.map(({ message }) => message);
}

const restarts = ({ status }: V1Pod): number =>
  [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].reduce((sum, { restartCount }) => sum + restartCount, 0);

t.test('pods whose images the mirror does not give', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  sendToPrivateRegistry(node.folder, mirror);
  const both = ['acme/app:1', 'acme/late:1', 'acme/later:1'];
  for (const image of both) await pushPrivate(node, image);
  for (const image of [...both, 'acme/only:1', 'acme/init:1', 'acme/sidecar:1']) await pushOpen(node, `copies/${image}`);
  await pushOpen(node, 'source/app:1');
  await node.kubectl(['create', 'namespace', 'transship']);
  await createPullSecret(node, { name: 'mirror-account', namespace: 'transship', host: mirror });
  await install(node, { rewritePolicy: { inline: policy }, controller: { features: { fallback: true } } });
  await createNamespace(node, namespace);
  await becomes(node, namespace, ['quay.io/acme/app:1', `${mirror}/acme/app:1`]);

  await tt.test(
    'an image that only the alternative has: container, init container, sidecar; a host that does not exist; the image as written',
    async (test) => {
      await start(node, 'missing', 'quay.io/acme/only:1');
      await start(node, 'init', 'quay.io/acme/app:1', [{ name: 'setup', image: 'quay.io/acme/init:1', args: ['done'] }]);
      await start(node, 'sidecar', 'quay.io/acme/app:1', [{ name: 'proxy', image: 'quay.io/acme/sidecar:1', restartPolicy: 'Always' }]);
      await start(node, 'nowhere', 'ghcr.io/acme/app:1');
      await start(node, 'original', `${openRegistry.address}/source/app:1`);
      const table = [
        ['missing', [`${backup}/acme/only:1`], /has no such image/],
        ['init', [`${backup}/acme/init:1`, `${mirror}/acme/app:1`], /has no such image/],
        ['sidecar', [`${backup}/acme/sidecar:1`, `${mirror}/acme/app:1`], /has no such image/],
        ['nowhere', [`${backup}/acme/app:1`], /cannot resolve the name of the registry|does not answer the node/],
        ['original', [`${openRegistry.address}/source/app:1`], /has no such image/],
      ] as const;
      for (const [name, images, reason] of table) {
        const pod = await running(node, namespace, name);
        test.strictSame(imagesOf(pod), images, name);
        test.equal(restarts(pod), 0, name);
        test.match(await told(node, name), [reason], name);
      }
    },
  );

  await tt.test('a password that the mirror does not take', async (test) => {
    setPassword(node.folder, 'another-password');
    await start(node, 'refused', 'quay.io/acme/late:1');
    test.strictSame(imagesOf(await running(node, namespace, 'refused')), [`${backup}/acme/late:1`]);
    test.match(await told(node, 'refused'), [/refused the credentials/]);
    setPassword(node.folder, privateRegistry.password);
  });

  await tt.test('the mirror is stopped, and comes back', async (test) => {
    await node.stopComponent('registry-private');
    await start(node, 'stopped', 'quay.io/acme/later:1');
    test.strictSame(imagesOf(await running(node, namespace, 'stopped')), [`${backup}/acme/later:1`]);
    test.match(await told(node, 'stopped'), [/does not answer the node/]);
    node.startComponent('registry-private');
    await poll('a pod from the mirror', async () => {
      await node.kubectl(['delete', 'pod', 'stopped', '--namespace', namespace, '--ignore-not-found', '--wait']);
      await start(node, 'stopped', 'quay.io/acme/later:1');
      return imagesOf(await running(node, namespace, 'stopped'))[0] === `${mirror}/acme/later:1` || undefined;
    });
  });
});
