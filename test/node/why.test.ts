/** `transship why` and `transship doctor` on a real node: what the kubelet says about a pull, and what the replicas of the webhook say. */
import { join } from 'node:path';

import t from 'tap';

import { becomes, install, type Policy } from './harness/install.ts';
import { startNode } from './harness/node.ts';
import { poll } from './harness/poll.ts';
import { createPullSecret, pushPrivate } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { paths } from './harness/settings.ts';
import { apply, createNamespace, template } from './harness/workloads.ts';

const mirror = 'mirror.example.com';
const policy: Policy = {
  registries: { mirror: { host: mirror, pullSecrets: ['mirror-pull'] }, away: { host: '10.77.0.1:4999', pullSecrets: ['mirror-pull'] } },
  rules: [
    { name: 'away', match: { images: ['quay.io/away'] }, rewrite: { registry: 'away', as: 'path' } },
    { name: 'all', match: { images: ['quay.io'] }, rewrite: { registry: 'mirror', as: 'path' } },
  ],
};

t.test('why a pod does not get its image', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  sendToPrivateRegistry(node.folder, mirror);
  await pushPrivate(node, 'acme/app:1');
  await node.kubectl(['create', 'namespace', 'transship']);
  await install(node, { rewritePolicy: { inline: policy } });
  for (const namespace of ['shop', 'wrong', 'empty']) await createNamespace(node, namespace);
  await createPullSecret(node, { name: 'mirror-pull', namespace: 'shop', host: mirror });
  await createPullSecret(node, { name: 'mirror-pull', namespace: 'wrong', host: mirror, password: 'wrong' });
  await becomes(node, 'shop', ['quay.io/acme/app:1', `${mirror}/acme/app:1`]);

  const program = join(import.meta.dirname, '../../src/main.ts');
  const transship = async <T>(command: string, ...words: string[]): Promise<T> => {
    const access = ['--kubeconfig', paths(node.folder).adminKubeconfig, '-o', 'json'];
    const start = [process.execPath, '--disable-warning=ExperimentalWarning', program, command];
    const shown = await node.run([...start, ...access, ...words]).catch((error: { stdout: string }) => error);
    return JSON.parse(shown.stdout);
  };
  const why = (namespace: string, pod: string) =>
    transship<{ pulls: { code: string; remedy: string }[]; secrets: { code: string }[] }>('why', '-n', namespace, `pod/${pod}`);

  const rows = [
    { says: 'the mirror has no such image', namespace: 'shop', image: 'quay.io/acme/missing:1', pull: 'not-found', secret: null },
    { says: 'a wrong password', namespace: 'wrong', image: 'quay.io/acme/app:1', pull: 'unauthorized', secret: null },
    { says: 'no Secret', namespace: 'empty', image: 'quay.io/acme/app:1', pull: 'unauthorized', secret: 'secret-missing' },
    {
      says: 'the mirror does not answer',
      namespace: 'shop',
      image: 'quay.io/away/app:1',
      pull: 'unreachable',
      secret: 'secret-without-host',
    },
  ];
  for (const [index, { says, namespace, image, pull, secret }] of rows.entries())
    await tt.test(says, async (test) => {
      const name = `pod-${index}`;
      const { metadata, spec } = template(name, image);
      await apply(node, { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace }, spec });
      await poll('the kubelet has tried', async () => {
        const [found] = (await why(namespace, name)).pulls;
        if (found === undefined) throw new Error('it has not yet');
        return true;
      });
      const { pulls, secrets } = await why(namespace, name);
      test.strictSame(
        pulls.map(({ code }) => code),
        [pull],
        JSON.stringify(pulls),
      );
      test.strictSame(
        secrets.map(({ code }) => code),
        secret === null ? [] : [secret],
      );
    });

  await tt.test('doctor asks each replica for its policy, and the API server for a pod', async (test) => {
    const { checks, notSeen } = await transship<{ checks: { id: string; state: string }[]; notSeen: object[] }>('doctor');
    const states = Object.fromEntries(checks.map(({ id, state }) => [id, state]));
    test.match(states, { reachable: 'ok', 'policy-revision': 'ok', clock: 'ok' }, JSON.stringify(checks));
    test.strictSame(notSeen, []);
  });
});
