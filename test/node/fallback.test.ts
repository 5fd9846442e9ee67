/** The feature `fallback` on a real node with two registries: what the kubelet cannot pull from the first runs from the second. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { V1Container, V1Pod } from '@kubernetes/client-node';
import t from 'tap';

import { createCa, issueServing } from '../../src/tls/certificate.ts';
import { becomes, install, type Policy } from './harness/install.ts';
import { startNode, type TestNode } from './harness/node.ts';
import { poll } from './harness/poll.ts';
import { createPullSecret, digestOf, pushOpen, pushPrivate, setPassword } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { nodeAddress, openRegistry, privateRegistry } from './harness/settings.ts';
import { apply, createNamespace, imagesOf, running, template } from './harness/workloads.ts';

const mirror = 'mirror.example.com';
const backup = `${openRegistry.address}/copies`;
const namespace = 'shop';
const alternatives = [{ registry: 'backup', as: 'path' }];
const failing = { port: 5429, tlsPort: 5443 } as const;

/** By source host of the rule: the first target, where containerd goes for it, and what the event says when a pod was moved away. */
const faults = {
  'missing.example': { server: `http://${privateRegistry.address}`, says: /has no such image/ },
  'limited.example': { server: `http://${nodeAddress}:${failing.port}`, says: /too many requests/ },
  'untrusted.example': { server: `https://${nodeAddress}:${failing.tlsPort}`, says: /does not trust the certificate/ },
  'plain.example': { server: `https://${privateRegistry.address}`, says: /does not trust the certificate of the registry, or it has none/ },
  'password.example': { server: `http://${privateRegistry.address}`, says: /refused the credentials/ },
  'nowhere.example': { server: null, says: /cannot resolve the name of the registry|does not answer the node/ },
} as const;
type Fault = keyof typeof faults;
const faultNames = Object.keys(faults) as Fault[];
const nameOf = (fault: Fault): string => fault.replace('.example', '');
const targetOf = (fault: Fault): string => `${nameOf(fault)}.mirror.example.com`;

const policy: Policy = {
  registries: {
    mirror: { host: mirror, pullSecrets: ['mirror-pull'], credentials: { secret: 'mirror-account' } },
    backup: { host: backup },
    ...Object.fromEntries(
      faultNames.map((fault) => [
        nameOf(fault),
        { host: targetOf(fault), pullSecrets: [`${nameOf(fault)}-pull`], credentials: { secret: `${nameOf(fault)}-account` } },
      ]),
    ),
  },
  rules: [
    { name: 'quay', match: { images: ['quay.io'] }, rewrite: { registry: 'mirror', as: 'path' }, alternatives },
    {
      name: 'local',
      match: { images: [`${openRegistry.address}/source`] },
      rewrite: { registry: 'mirror', as: 'path' },
      alternatives: [{ as: 'original' }],
    },
    ...faultNames.map((fault) => ({
      name: nameOf(fault),
      match: { images: [fault] },
      rewrite: { registry: nameOf(fault), as: 'path' },
      alternatives,
    })),
  ],
};

const podOf = (name: string, main: string, initContainers: readonly V1Container[] = []): object => {
  const { metadata, spec } = template(name, main);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace }, spec: { ...spec, initContainers } };
};

const start = (node: TestNode, ...pod: Parameters<typeof podOf>): Promise<void> => apply(node, podOf(...pod));

/** The messages of the events on the pod. */
async function told(node: TestNode, pod: string, reason = 'ImageFellBack'): Promise<string[]> {
  const selector = `--field-selector=reason=${reason},involvedObject.name=${pod}`;
  const { stdout } = await node.kubectl(['get', 'events', '--namespace', namespace, selector, '--output=json']);
  return (JSON.parse(stdout) as { items: { message: string }[] }).items.map(({ message }) => message);
}

const restarts = ({ status }: V1Pod): number =>
  [...(status?.containerStatuses ?? []), ...(status?.initContainerStatuses ?? [])].reduce((sum, { restartCount }) => sum + restartCount, 0);

/** Ends with the node. */
async function startFailingRegistry(node: TestNode): Promise<void> {
  const folder = join(node.folder, 'failing-registry');
  mkdirSync(folder);
  const { cert, key } = await issueServing(await createCa('nobody', { lifetime: 3_600_000 }), ['elsewhere.example'], {
    lifetime: 3_600_000,
  });
  writeFileSync(join(folder, 'cert.pem'), cert);
  writeFileSync(join(folder, 'key.pem'), key);
  const script = fileURLToPath(new URL('harness/failing-registry.ts', import.meta.url));
  const ended = node.exec([process.execPath, script, `${failing.port}`, `${failing.tlsPort}`, folder]).then(
    ({ stderr }) => stderr,
    (error: unknown) => String(error),
  );
  const listens = poll('the registry with faults', () => node.run(['curl', '--silent', `http://${nodeAddress}:${failing.port}/v2/`]));
  await Promise.race([listens, ended.then((why) => Promise.reject(new Error(`the registry with faults ended: ${why}`)))]);
}

t.test('pods whose images the mirror does not give', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  await startFailingRegistry(node);
  sendToPrivateRegistry(node.folder, mirror);
  for (const fault of faultNames) {
    const { server } = faults[fault];
    if (server !== null) sendToPrivateRegistry(node.folder, targetOf(fault), server);
  }
  const both = ['acme/app:1', 'acme/late:1', 'acme/later:1'];
  for (const image of both) await pushPrivate(node, image);
  for (const image of [...both, 'acme/only:1', 'limited/app:1']) await pushOpen(node, `copies/${image}`);
  await pushOpen(node, 'source/app:1');
  await node.kubectl(['create', 'namespace', 'transship']);
  await createPullSecret(node, { name: 'mirror-account', namespace: 'transship', host: mirror });
  for (const fault of faultNames) {
    const password = fault === 'password.example' ? 'wrong' : privateRegistry.password;
    await createPullSecret(node, { name: `${nameOf(fault)}-account`, namespace: 'transship', host: targetOf(fault), password });
  }
  await install(node, { rewritePolicy: { inline: policy }, controller: { features: { fallback: true } } });
  await createNamespace(node, namespace);
  await becomes(node, namespace, ['quay.io/acme/app:1', `${mirror}/acme/app:1`]);

  await tt.test('the image as written, where the policy names it as an alternative', async (test) => {
    await start(node, 'original', `${openRegistry.address}/source/app:1`);
    test.strictSame(imagesOf(await running(node, namespace, 'original')), [`${openRegistry.address}/source/app:1`]);
    test.match(await told(node, 'original'), [/has no such image/]);
  });

  await tt.test('the registry with faults is a registry, where it has none', async (test) => {
    await start(node, 'limited-within', 'limited.example/acme/app:1');
    test.strictSame(imagesOf(await running(node, namespace, 'limited-within')), [`${targetOf('limited.example')}/acme/app:1`]);
  });

  await tt.test('each fault, for a container by tag and by digest, an init container and a sidecar', async (test) => {
    const digests = new Map<string, string>();
    for (const path of ['acme/only', 'acme/app', 'limited/app']) digests.set(path, await digestOf(node, `copies/${path}:1`));
    const rows = faultNames.flatMap((fault) => {
      const path = { 'missing.example': 'acme/only', 'limited.example': 'limited/app' }[fault as string] ?? 'acme/app';
      const byDigest = `${path}@${digests.get(path)}`;
      const good = `${mirror}/acme/app:1`;
      const named = (kind: string): string => `${nameOf(fault)}-${kind}`;
      const inits = (container: Partial<V1Container>): V1Container[] => [{ name: 'first', image: `${fault}/${path}:1`, ...container }];
      return [
        { fault, name: named('tag'), main: `${fault}/${path}:1`, init: [], images: [`${backup}/${path}:1`] },
        { fault, name: named('digest'), main: `${fault}/${byDigest}`, init: [], images: [`${backup}/${byDigest}`] },
        { fault, name: named('init'), main: 'quay.io/acme/app:1', init: inits({ args: ['done'] }), images: [`${backup}/${path}:1`, good] },
        {
          fault,
          name: named('sidecar'),
          main: 'quay.io/acme/app:1',
          init: inits({ restartPolicy: 'Always' }),
          images: [`${backup}/${path}:1`, good],
        },
      ];
    });
    await apply(node, ...rows.map(({ name, main, init }) => podOf(name, main, init)));
    for (const { name, fault, images } of rows) {
      const pod = await running(node, namespace, name);
      test.strictSame(imagesOf(pod), images, name);
      test.equal(restarts(pod), 0, name);
      test.match(await told(node, name), [faults[fault].says], name);
    }
  });

  await tt.test('a debug container cannot be moved, and an event says so', async (test) => {
    const target = ['original', '--namespace', namespace, '--image', 'quay.io/acme/only:1', '--container', 'debugger'];
    await node.kubectl(['debug', '--attach=false', '--profile=general', ...target]);
    const [message] = await poll('the event', async () => {
      const messages = await told(node, 'original', 'FallbackNotPossible');
      return messages.length > 0 ? messages : undefined;
    });
    test.match(message, `${mirror}/acme/only:1 of debug container debugger cannot be pulled, and debug containers cannot be changed`);
    test.equal((await told(node, 'original')).length, 1, 'the step of its container alone');
  });

  await tt.test('a password that the mirror does not take any more', async (test) => {
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
