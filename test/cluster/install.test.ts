import { test } from 'tap';

import type { V1Pod } from '@kubernetes/client-node';

import { eventually } from '../cluster-client/eventually.ts';
import { skipReason } from './binaries.ts';
import { startControlPlane, type ControlPlane } from './control-plane.ts';
import { installTransship } from './install.ts';

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [mirror-key] }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
`;

/** The image that a pod in the namespace would get, by a dry run: https://kubernetes.io/docs/reference/using-api/api-concepts/#dry-run */
async function admitted(plane: ControlPlane, namespace: string): Promise<string | undefined> {
  const pod = { metadata: { name: 'probe' }, spec: { containers: [{ name: 'main', image: 'nginx:1.27' }] } };
  const { body } = await plane.api.send<V1Pod>('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
  return body.spec?.containers[0]?.image;
}

const becomes = (plane: ControlPlane, namespace: string, image: string): Promise<void> =>
  eventually(`pods of ${namespace} have ${image}`, async () => (await admitted(plane, namespace)) === image);

test('the chart, installed by helm, has the product called on its ClusterIP', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  const installed = await installTransship(plane, { policy });
  await plane.createNamespace('shop', { 'transship.dev/rewrite': 'enabled' });

  await becomes(plane, 'shop', 'mirror.example.com/library/nginx:1.27');
  t.equal(await admitted(plane, 'default'), 'nginx:1.27', 'a namespace without the label is left alone');

  await installed.upgrade({ excludeNamespaces: ['shop'] });
  // An upgrade reaches the API server.
  await becomes(plane, 'shop', 'nginx:1.27');
});

test(
  'the product ends at SIGTERM with 0, and the API server then goes by the failure policy',
  { skip: skipReason({ level: 1 }) },
  async (t) => {
    const plane = await startControlPlane(t);
    const installed = await installTransship(plane, { policy, values: { failurePolicy: 'Fail' } });
    await plane.createNamespace('shop', { 'transship.dev/rewrite': 'enabled' });
    await becomes(plane, 'shop', 'mirror.example.com/library/nginx:1.27');

    t.equal(await installed.stop(), 0);
    t.equal(await admitted(plane, 'shop'), undefined, 'no webhook, no pod');
  },
);
