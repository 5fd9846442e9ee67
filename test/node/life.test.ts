/** The life of an installation, under failurePolicy Fail, so that every moment without an answer is a refused pod. */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import t from 'tap';

import { churn, type Churned } from './harness/churn.ts';
import { becomes, chart, helm, upgrade, type Policy } from './harness/install.ts';
import { startNode, type TestNode } from './harness/node.ts';
import { poll } from './harness/poll.ts';
import { productImage } from './harness/product-image.ts';
import { createPullSecret, pushOpen, pushPrivate, setPassword } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { openRegistry } from './harness/settings.ts';
import { apply, createNamespace, deployment, failingToPull, imagesOf, running, secretsOf } from './harness/workloads.ts';

const mirror = 'mirror.example.com';
const namespace = 'shop';
const image = 'quay.io/acme/app:1';
const rewritten = `${mirror}/acme/app:1`;
const policy: Policy = {
  registries: { mirror: { host: mirror, pullSecrets: ['mirror-pull'], credentials: { secret: 'mirror-account' } } },
  rules: [{ name: 'all', match: { images: ['docker.io', 'quay.io', 'localhost:5005/acme'] }, rewrite: { registry: 'mirror', as: 'path' } }],
};
const values = { failurePolicy: 'Fail', rewritePolicy: { inline: policy } };
const rolled = { ...values, podAnnotations: { 'example.com/rolled': 'yes' } };

/** No version was released before this one: the same chart, with an older version in it, stands for one. */
function previousChart(folder: string): string {
  const copy = join(folder, 'previous-chart');
  cpSync(chart, copy, { recursive: true });
  const file = join(copy, 'Chart.yaml');
  writeFileSync(file, readFileSync(file, 'utf8').replace(/^version: .*$/m, 'version: 0.0.9'));
  return copy;
}

const caBundle = async (node: TestNode): Promise<string> =>
  (await node.kubectl(['get', 'mutatingwebhookconfiguration', 'transship', '--output=jsonpath={.webhooks[0].clientConfig.caBundle}']))
    .stdout;

const certificates = (bundle: string): number => Buffer.from(bundle, 'base64').toString().split('BEGIN CERTIFICATE').length - 1;

t.test('life of an installation', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  sendToPrivateRegistry(node.folder, mirror);
  for (const tag of [1, 2, 3, 4, 5]) await pushPrivate(node, `acme/app:${tag}`);
  await node.kubectl(['create', 'namespace', 'transship']);
  await createPullSecret(node, { name: 'mirror-account', namespace: 'transship', host: mirror });
  await pushOpen(node, 'transship:0.1.0', { archive: await productImage() });
  await helm(node, 'install', values, previousChart(node.folder));
  await createNamespace(node, namespace);
  await becomes(node, namespace, [image, rewritten]);

  const allRewritten = (test: Pick<typeof t, 'strictSame'>, { images, refused }: Churned): void => {
    test.strictSame(refused, [], 'no pod was refused');
    test.strictSame([...new Set(images)], [rewritten], 'each was rewritten');
  };

  await tt.test('upgrade from the chart before, with new webhook pods, while pods are created', async (test) => {
    const pods = churn(test, node, namespace, image);
    await upgrade(node, rolled);
    allRewritten(test, await pods.stop(10));
    const { stdout } = await node.helm(['list', '--namespace', 'transship', '--output', 'json']);
    test.match(JSON.parse(stdout), [{ name: 'transship', revision: '2', status: 'deployed' }]);
  });

  await tt.test('a new CA while pods are created', async (test) => {
    const before = await caBundle(node);
    const pods = churn(test, node, namespace, image);
    // Two thirds of this life are over for the CA of the install. The delays are those of this node, which syncs every two seconds.
    await upgrade(node, { ...rolled, tls: { controller: { caLifetime: '2000d', bundleDelay: '5s', reloadDelay: '10s' } } });
    const seen = new Set<number>();
    const after = await poll('only the new CA is trusted', async () => {
      const bundle = await caBundle(node);
      seen.add(certificates(bundle));
      return seen.has(2) && certificates(bundle) === 1 ? bundle : undefined;
    });
    allRewritten(test, await pods.stop(20));
    test.not(after, before);
  });

  await tt.test('the controller is gone for a minute: pods are rewritten, and then the copies catch up', async (test) => {
    await node.kubectl(['scale', 'deployment/transship-controller', '--replicas=0', '--namespace', 'transship']);
    const pods = churn(test, node, namespace, image);
    await createNamespace(node, 'late');
    await apply(node, deployment(namespace, 'meanwhile', 'quay.io/acme/app:2'), deployment('late', 'app', 'quay.io/acme/app:2'));
    await running(node, namespace, 'meanwhile');
    await sleep(60_000);
    allRewritten(test, await pods.stop(100));
    test.strictSame(secretsOf(await failingToPull(node, 'late', 'app')), ['mirror-pull'], 'named, but not copied');
    await node.kubectl(['scale', 'deployment/transship-controller', '--replicas=1', '--namespace', 'transship']);
    await running(node, 'late', 'app');
  });

  await tt.test('a password changed at the source: a pod created 5 s later pulls', async (test) => {
    setPassword(node.folder, 'second-password');
    await createPullSecret(node, { name: 'mirror-account', namespace: 'transship', host: mirror, password: 'second-password' });
    await sleep(5000);
    await apply(node, deployment(namespace, 'after-change', 'quay.io/acme/app:3'));
    test.strictSame(imagesOf(await running(node, namespace, 'after-change')), [`${mirror}/acme/app:3`]);
  });

  await tt.test('the node restarts: the webhook comes back before the pods that wait for it', async (test) => {
    await node.stopComponent('kubelet');
    await node.stopComponent('containerd');
    // All at once, as when a machine is switched off: a container outlives both the runtime and its shim.
    const everyContainer = `cat $(find /sys/fs/cgroup -path '*/${node.name}/*' -name cgroup.procs) | sort -u | xargs -r kill -KILL`;
    await node.exec(['bash', '-c', `pkill -KILL containerd-shim; ${everyContainer}`]);
    const refused = await node.kubectl(['run', 'early', `--image=${image}`, '--namespace', namespace, '--dry-run=server']).then(
      () => false,
      () => true,
    );
    test.ok(refused, 'while the webhook is down, failurePolicy Fail refuses');
    node.startComponent('containerd');
    node.startComponent('kubelet');
    await becomes(node, namespace, [image, rewritten]);
    await apply(node, deployment(namespace, 'after-restart', 'quay.io/acme/app:4'));
    await running(node, namespace, 'after-restart');
    await running(node, namespace, 'after-change');
  });

  await tt.test('uninstall: pods start as written', async (test) => {
    await pushOpen(node, 'acme/plain:1');
    const written = `${openRegistry.address}/acme/plain:1`;
    await node.helm(['uninstall', 'transship', '--namespace', 'transship', '--wait']);
    await apply(node, deployment(namespace, 'plain', written));
    const pod = await running(node, namespace, 'plain');
    test.strictSame(imagesOf(pod), [written]);
    test.strictSame(secretsOf(pod), []);
    const { stdout } = await node.kubectl([
      'get',
      'mutatingwebhookconfigurations,clusterroles,clusterrolebindings',
      '--selector=app.kubernetes.io/instance=transship',
      '--output=name',
    ]);
    test.equal(stdout, '', 'no object of the release without a namespace');
  });
});
