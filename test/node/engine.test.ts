/** `engine: admissionPolicy` on a real node: no webhook runs, and a private image is pulled by its new name with a copied pull secret. */
import { join } from 'node:path';

import t from 'tap';

import { becomes, install, type Policy } from './harness/install.ts';
import { startNode } from './harness/node.ts';
import { poll } from './harness/poll.ts';
import { createPullSecret, pushPrivate } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { paths } from './harness/settings.ts';
import { apply, createNamespace, deployment, imagesOf, running, secretsOf } from './harness/workloads.ts';

const program = join(import.meta.dirname, '../../src/main.ts');
const mirror = 'mirror.example.com';
const namespace = 'shop';
const image = 'quay.io/acme/app:1';
const rewritten = `${mirror}/acme/app:1`;
const policy: Policy = {
  registries: { mirror: { host: mirror, pullSecrets: ['mirror-pull'], credentials: { secret: 'mirror-account' } } },
  rules: [{ name: 'all', match: { images: ['docker.io', 'quay.io'] }, rewrite: { registry: 'mirror', as: 'path' } }],
  tests: [{ image, becomes: rewritten, rule: 'all' }],
};

t.test('without a webhook', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  sendToPrivateRegistry(node.folder, mirror);
  await pushPrivate(node, 'acme/app:1');
  await node.kubectl(['create', 'namespace', 'transship']);
  await createPullSecret(node, { name: 'mirror-account', namespace: 'transship', host: mirror });
  await install(node, { engine: 'admissionPolicy', rewritePolicy: { inline: policy } });
  await createNamespace(node, namespace);

  await tt.test('a private image is pulled', async (test) => {
    await becomes(node, namespace, [image, rewritten], ['mirror-pull']);
    await apply(node, deployment(namespace, 'app', image));
    const pod = await running(node, namespace, 'app');
    test.strictSame([imagesOf(pod), secretsOf(pod)], [[rewritten], ['mirror-pull']]);
    test.match(pod.metadata?.annotations, { 'transship.dev/rewritten-by': /^\{"main":"all@[0-9a-f]{12}"\}$/ });
    const { stdout } = await node.kubectl(['get', 'deployments', '--namespace', 'transship', '--output=name']);
    test.equal(stdout, 'deployment.apps/transship-controller\n', 'the controller is all that runs');
  });

  await tt.test('helm test and doctor', async (test) => {
    const { stdout } = await node.helm(['test', 'transship', '--namespace', 'transship', '--timeout', '90s']);
    test.match(stdout, /Phase:\s+Succeeded/);
    const start = [process.execPath, '--disable-warning=ExperimentalWarning', program, 'doctor'];
    const access = ['--kubeconfig', paths(node.folder).adminKubeconfig, '-o', 'json'];
    const doctor = await node.run([...start, ...access]).catch((error: { stdout: string }) => error);
    const { checks }: { checks: { id: string; state: string }[] } = JSON.parse(doctor.stdout);
    const states = Object.fromEntries(checks.map(({ id, state }) => [id, state]));
    const expected = { registered: 'ok', 'admission-policy': 'ok', 'admission-policy-revision': 'ok', enforced: 'ok', copies: 'ok' };
    test.match(states, expected, doctor.stdout);
  });

  await tt.test('uninstall: no policy is left', async (test) => {
    await node.helm(['uninstall', 'transship', '--namespace', 'transship', '--wait']);
    const kinds = 'mutatingadmissionpolicies,mutatingadmissionpolicybindings,clusterroles,clusterrolebindings';
    const words = ['get', kinds, '--selector=app.kubernetes.io/instance=transship', '--output=name'];
    test.equal((await node.kubectl(words)).stdout, '');
    await poll('the garbage collector has taken the policy', async () => {
      const { stdout } = await node.kubectl(['get', 'mutatingadmissionpolicies', '--output=name']);
      return stdout === '' ? true : undefined;
    });
  });
});
