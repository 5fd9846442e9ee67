/** The kept policy has the hosts that the webhook mounts, and does to pods what the webhook does with the same files. */
import { writeFileSync } from 'node:fs';

import type { V1ConfigMap } from '@kubernetes/client-node';
import tap, { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import { admission, loaded, plain } from '../../export/equality.ts';
import { change, eventually, metric, releaseNamespace, runController, succeed, whenReady } from '../controllers.ts';
import { becomes, bind, controllerArgs, keptPolicy, podOf, prepareCluster, shop } from './kept-policy.ts';

tap.setTimeout(180_000);

const policy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  local:
    hostFrom: { service: { namespace: ${releaseNamespace}, name: registry, port: http } }
    pullSecrets: [local]
  hub: { host: docker.io, pullSecrets: [hub] }
  mirror: { host: mirror.example.com/cache, pullSecrets: [mirror, extra] }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: local, as: path } }
  - { name: quay, match: { images: [quay.io/acme] }, rewrite: { registry: mirror, as: fullName }, pullPolicy: Always }
`;
const configMap = `/api/v1/namespaces/${releaseNamespace}/configmaps/hosts`;
const service = `/api/v1/namespaces/${releaseNamespace}/services`;
const args = [...controllerArgs, '--features', 'hosts,policies', '--hosts-config-map', 'hosts', '--failure-policy', 'Fail'];

test('on one cluster', { skip: skipReason({ level: 1 }) }, async (whole) => {
  const plane = await startControlPlane(whole);
  await prepareCluster(plane);
  await plane.createNamespace(plain);
  await bind(plane);
  const controller = await runController(plane, { policy, args });
  const hostsText = async (): Promise<string> => {
    const { status, body } = await plane.api.send<V1ConfigMap>('GET', configMap);
    return status === 200 ? (body.data?.['hosts.yaml'] ?? '') : '';
  };
  const revision = async (): Promise<string | undefined> => (await keptPolicy(plane))?.metadata?.annotations?.['transship.dev/revision'];

  await whole.test('before a host is known its rules are not active', async (t) => {
    await whenReady(controller);
    await becomes(plane, 'quay.io/acme/app:1', 'mirror.example.com/cache/quay.io/acme/app:1');
    const engines = admission(plane, loaded(policy), shop);
    for (const image of ['nginx:1', 'mirror.example.com/cache/library/nginx:1', 'localhost:30500/library/nginx:1'])
      t.equal(await engines.created({ metadata: { name: 'pod' }, spec: { containers: [{ name: 'web', image }] } }), null);
    t.equal((await podOf(plane, 'nginx:1')).spec?.containers[0]?.image, 'nginx:1');
    t.equal(await revision(), loaded(policy).revision);
  });

  await whole.test('a host is resolved, and moves', async (t) => {
    await succeed(plane, 'POST', service, { metadata: { name: 'registry' }, spec: { type: 'NodePort', ports: ports(30_500) } });
    t.comment(`resolved, and in pods: ${(await becomes(plane, 'nginx:1', 'localhost:30500/library/nginx:1')).toFixed()} ms`);
    await change(plane, `${service}/registry`, { spec: { ports: ports(30_501) } });
    t.comment(`moved, and in pods: ${(await becomes(plane, 'nginx:1', 'localhost:30501/library/nginx:1')).toFixed()} ms`);
    t.equal(await hostsText(), 'local: localhost:30501\n');
    t.equal(await revision(), loaded(policy, await hostsText()).revision, 'as of the webhook that mounts it');
  });

  await whole.test('pods and their records are those of the webhook with the same files', async (t) => {
    const engines = admission(plane, loaded(policy, await hostsText()), shop);
    const pods = images.map((some, index) => ({
      metadata: { name: `pod-${index}`, annotations: { note: `${index}` } },
      spec: {
        containers: some.map((image, at) => ({ name: `c${at}`, image })),
        ...(index % 2 === 1 && { imagePullSecrets: [{ name: 'mirror' }] }),
      },
    }));
    for (const pod of pods) t.equal(await engines.created(pod), null);
    t.equal(engines.changes(), pods.length - 1, 'all but one concern the policy');
  });

  await whole.test('whoever writes the hosts: another revision, and the same object when they are as before', async (t) => {
    const before = await keptPolicy(plane);
    const own = await runController(plane, { policy, args: [...args, '--features', 'policies'] });
    t.equal(await controller.stop(), 0);
    await whenReady(own);
    t.equal((await keptPolicy(plane))?.metadata?.resourceVersion, before?.metadata?.resourceVersion, 'the next leader writes nothing');
    await change(plane, configMap, { data: { 'hosts.yaml': 'local: by-hand.example.com\n' } });
    await becomes(plane, 'nginx:1', 'by-hand.example.com/library/nginx:1');
    await change(plane, configMap, { data: { 'hosts.yaml': 'local: https://by-hand.example.com\n' } });
    await eventually('they are refused', async () => (await own.get('/readyz')).text.includes('hosts.yaml of ConfigMap hosts:1:'));
    t.equal((await podOf(plane, 'nginx:1')).spec?.containers[0]?.image, 'by-hand.example.com/library/nginx:1', 'the last good ones stay');
    t.equal(await metric(own, 'transship_controller_admission_policy_current{name="transship"}'), 1);
    await change(plane, configMap, { data: { 'hosts.yaml': 'local: localhost:30501\n' } });
    await becomes(plane, 'nginx:1', 'localhost:30501/library/nginx:1');
    t.strictSame((await keptPolicy(plane))?.spec, before?.spec);
    writeFileSync(own.policyFile, `${policy}# another revision\n`);
    const next = loaded(`${policy}# another revision\n`, await hostsText()).revision;
    await eventually('the revision', async () => (await revision()) === next);
    t.equal(await own.stop(), 0);
  });
});

const ports = (nodePort: number): object[] => [{ name: 'http', port: 80, nodePort }];

/** Of a pod each. */
const images: readonly (readonly string[])[] = [
  ['nginx:1'],
  ['docker.io/library/nginx', 'quay.io/acme/app@sha256:' + 'a'.repeat(64)],
  ['Quay.io/acme/app:1', 'index.docker.io/redis:7'],
  ['localhost:30501/library/nginx:1'],
  ['mirror.example.com/cache/quay.io/acme/app:1', 'ghcr.io/other/app:1'],
  ['registry.example.com/app:1'],
];
