/** The five systems that transship learns from, each with its own example policy: a kubelet pulls through the rewritten names. */
import t from 'tap';

import { becomes, examplePolicy, install, pushRegistryImage, upgrade } from './harness/install.ts';
import { startNode } from './harness/node.ts';
import { poll } from './harness/poll.ts';
import { createPullSecret, pushOpen, pushPrivate } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { apply, createNamespace, deployment, failingToPull, imagesOf, running, secretsOf } from './harness/workloads.ts';

t.test('five systems', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);

  await tt.test('(a) Replicated: an image behind the proxy runs with the secret that the controller copied', async (test) => {
    sendToPrivateRegistry(node.folder, 'proxy.replicated.com');
    await pushPrivate(node, 'proxy/my-app/quay.io/acme/app:1');
    await node.kubectl(['create', 'namespace', 'transship']);
    await createPullSecret(node, { name: 'license', namespace: 'transship', host: 'proxy.replicated.com' });
    const policy = examplePolicy('replicated');
    Object.assign(policy.registries['proxy'] ?? {}, { credentials: { secret: 'license' } });
    await install(node, { rewritePolicy: { inline: policy } });

    await createNamespace(node, 'shop');
    await createNamespace(node, 'elsewhere', {});
    await becomes(node, 'shop', ['quay.io/acme/app:1', 'proxy.replicated.com/proxy/my-app/quay.io/acme/app:1']);
    await apply(node, deployment('shop', 'app', 'quay.io/acme/app:1'), deployment('elsewhere', 'app', 'quay.io/acme/app:1'));
    const pod = await running(node, 'shop', 'app');
    test.strictSame(imagesOf(pod), ['proxy.replicated.com/proxy/my-app/quay.io/acme/app:1']);
    test.strictSame(secretsOf(pod), ['replicatedregistrykey']);
    const copy = await node.kubectl(['get', 'secret', 'replicatedregistrykey', '--namespace', 'shop', '--output=jsonpath={.type}']);
    test.equal(copy.stdout, 'kubernetes.io/dockerconfigjson');

    const left = await failingToPull(node, 'elsewhere', 'app');
    test.strictSame(imagesOf(left), ['quay.io/acme/app:1'], 'not opted in: as written, and nobody can pull it');
    test.strictSame(secretsOf(left), []);
    test.match(
      node.log('registry-private'),
      /GET \/v2\/proxy\/my-app\/quay\.io\/acme\/app\/manifests\/.*containerd/,
      'the pull came with the right name',
    );
  });

  await tt.test('(b) DevSpace: pods pull from the registry in the cluster, by the node port that the controller found', async (test) => {
    const policy = examplePolicy('devspace');
    policy.registries['local'] = {
      ...policy.registries['local'],
      hostFrom: { service: { namespace: 'transship', name: 'transship-registry', port: 'registry', via: 'localhost' } },
    };
    await upgrade(node, { rewritePolicy: { inline: policy }, localRegistry: { enabled: true, image: await pushRegistryImage(node) } });
    const { stdout: port } = await node.kubectl([
      'get',
      'service',
      'transship-registry',
      '--namespace',
      'transship',
      '--output=jsonpath={.spec.ports[0].nodePort}',
    ]);
    const host = `localhost:${port}`;
    test.not(host, 'localhost:30500', 'not the host that the policy falls back to');
    // Its pod is ready before kube-proxy has written the rules that lead to it.
    await poll('the registry behind the node port', () => node.run(['curl', '--silent', '--fail', '--noproxy', '*', `http://${host}/v2/`]));
    await pushOpen(node, 'acme/api:dev', { registry: host });

    await createNamespace(node, 'devspace');
    await becomes(node, 'devspace', ['acme/api:dev', `${host}/acme/api:dev`]);
    await apply(node, deployment('devspace', 'api', 'acme/api:dev'));
    const pod = await running(node, 'devspace', 'api');
    test.strictSame(imagesOf(pod), [`${host}/acme/api:dev`]);
    test.strictSame(secretsOf(pod), []);
  });

  await tt.test('(c) Tilt: default_registry escapes the name into one component', async (test) => {
    await pushOpen(node, 'gcr.io_foo_bar:1');
    await upgrade(node, { rewritePolicy: { inline: examplePolicy('tilt-default-registry') } });
    await createNamespace(node, 'tilt');
    await becomes(node, 'tilt', ['gcr.io/foo/bar:1', 'localhost:5005/gcr.io_foo_bar:1']);
    await apply(node, deployment('tilt', 'bar', 'gcr.io/foo/bar:1'));
    test.strictSame(imagesOf(await running(node, 'tilt', 'bar')), ['localhost:5005/gcr.io_foo_bar:1']);
  });

  await tt.test('(c) Tilt: single_name puts every image into one repository', async (test) => {
    const host = '123456789012.dkr.ecr.eu-central-1.amazonaws.com';
    sendToPrivateRegistry(node.folder, host);
    await pushPrivate(node, 'dev/all:redis-7.4');
    await upgrade(node, { rewritePolicy: { inline: examplePolicy('tilt-single-name') } });
    await createNamespace(node, 'tilt-single');
    await createPullSecret(node, { name: 'ecr-token', namespace: 'tilt-single', host });
    await becomes(node, 'tilt-single', ['bitnami/redis:7.4', `${host}/dev/all:redis-7.4`]);
    await apply(node, deployment('tilt-single', 'redis', 'bitnami/redis:7.4'));
    const pod = await running(node, 'tilt-single', 'redis');
    test.strictSame(imagesOf(pod), [`${host}/dev/all:redis-7.4`]);
    test.strictSame(secretsOf(pod), ['ecr-token']);
  });

  await tt.test('(d) Gitpod: dropImageRepo flattens into a registry with a path', async (test) => {
    const host = 'registry.example.com:8443';
    sendToPrivateRegistry(node.folder, host);
    await pushPrivate(node, 'mirror/gitpod/oauth2-proxy:v7.4.0');
    const policy = examplePolicy('gitpod-drop-image-repo');
    Object.assign(policy.registries['mirror'] ?? {}, { credentials: { secret: 'mirror' } });
    await createPullSecret(node, { name: 'mirror', namespace: 'transship', host });
    await upgrade(node, { rewritePolicy: { inline: policy } });
    await createNamespace(node, 'gitpod');
    await becomes(node, 'gitpod', ['quay.io/oauth2-proxy/oauth2-proxy:v7.4.0', `${host}/mirror/gitpod/oauth2-proxy:v7.4.0`]);
    await apply(node, deployment('gitpod', 'proxy', 'quay.io/oauth2-proxy/oauth2-proxy:v7.4.0'));
    const pod = await running(node, 'gitpod', 'proxy');
    test.strictSame(imagesOf(pod), [`${host}/mirror/gitpod/oauth2-proxy:v7.4.0`]);
    test.strictSame(secretsOf(pod), ['gitpod-image-pull']);
  });

  await tt.test('(e) Devtron: an image that names its registry keeps its name and gets the secret', async (test) => {
    const host = 'harbor.example.com:8443';
    sendToPrivateRegistry(node.folder, host);
    await pushPrivate(node, 'shop/web:1');
    const policy = examplePolicy('devtron');
    Object.assign(policy.registries['harbor'] ?? {}, { credentials: { secret: 'harbor' } });
    await createPullSecret(node, { name: 'harbor', namespace: 'transship', host });
    await upgrade(node, { rewritePolicy: { inline: policy } });
    await createNamespace(node, 'devtron');
    await createNamespace(node, 'devtron-not', {});
    // The image stays as it is, so only the secret tells that the policy has arrived: a pod made before that never gets it.
    await becomes(node, 'devtron', [`${host}/shop/web:1`, `${host}/shop/web:1`], ['harborexamplecom-dtron-ips']);
    await apply(node, deployment('devtron', 'web', `${host}/shop/web:1`), deployment('devtron-not', 'web', `${host}/shop/web:1`));
    const pod = await running(node, 'devtron', 'web');
    test.strictSame(imagesOf(pod), [`${host}/shop/web:1`]);
    test.strictSame(secretsOf(pod), ['harborexamplecom-dtron-ips']);
    test.strictSame(secretsOf(await failingToPull(node, 'devtron-not', 'web')), []);
  });
});
