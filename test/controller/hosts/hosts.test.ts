/** Hosts of registries on a real API server: node ports, KEP-1755, and what happens when they move or vanish. And who leads. */
import type { EventsV1Event, V1ConfigMap, V1Service } from '@kubernetes/client-node';
import { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import {
  change,
  configOf,
  createNamespace,
  createSecret,
  dockerConfig,
  eventsOf,
  eventually,
  leaseSeconds,
  linesOf,
  metric,
  releaseNamespace,
  remove,
  runController,
  succeed,
  whenReady,
} from '../controllers.ts';

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  local:
    hostFrom: { service: { namespace: ${releaseNamespace}, name: local-registry, port: registry } }
  nodes:
    host: fallback.example.com
    hostFrom: { service: { namespace: ${releaseNamespace}, name: local-registry, port: 5000, via: nodeIP } }
  dev:
    hostFrom: { localRegistryHosting: true }
  mirror:
    host: reg.example.com
    pullSecrets: [regcred]
    credentials: { secret: mirror-source }
`;
const servicePath = `/api/v1/namespaces/${releaseNamespace}/services/local-registry`;
const hosting = '/api/v1/namespaces/kube-public/configmaps';

test('on one cluster', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startControlPlane(whole);
  await createNamespace(plane, releaseNamespace);
  await createSecret(plane, { namespace: releaseNamespace, name: 'mirror-source', config: dockerConfig('one') });
  const written = async (): Promise<string | undefined> => {
    const { status, body } = await plane.api.send<V1ConfigMap>('GET', `/api/v1/namespaces/${releaseNamespace}/configmaps/hosts`);
    return status === 200 ? body.data?.['hosts.yaml'] : undefined;
  };
  const becomes = async (text: string): Promise<void> => {
    whole.comment(`${JSON.stringify(text)}: ${((await eventually(text, async () => (await written()) === text)) / 1000).toFixed(2)} s`);
  };
  const args = ['--hosts-config-map', 'hosts'];
  const controller = await runController(plane, { policy, args });
  await whenReady(controller);

  await whole.test('hosts follow the cluster', async (t) => {
    t.equal(await written(), undefined, 'nothing is resolved, so nothing is written');
    t.equal(await metric(controller, 'transship_controller_host_resolved{registry="dev"}'), 0);
    const ports = [{ name: 'registry', port: 5000, nodePort: 30500 }];
    await succeed(plane, 'POST', `/api/v1/namespaces/${releaseNamespace}/services`, {
      metadata: { name: 'local-registry' },
      spec: { type: 'NodePort', selector: { app: 'registry' }, ports },
    });
    await becomes('local: localhost:30500\n');
    await createNode(plane, 'node-b', { ready: true, address: '10.0.0.2' });
    await becomes('local: localhost:30500\nnodes: 10.0.0.2:30500\n');
    await createNode(plane, 'node-a', { ready: true, address: '10.0.0.1' });
    await succeed(plane, 'POST', hosting, {
      metadata: { name: 'local-registry-hosting' },
      data: {
        'localRegistryHosting.v1': 'host: "localhost:5001"\nhostFromContainerRuntime: "registry:5000"\nhelp: "https://example.com"\n',
      },
    });
    await becomes('dev: registry:5000\nlocal: localhost:30500\nnodes: 10.0.0.2:30500\n');
    await change<V1Service>(plane, servicePath, { spec: { ports: [{ ...ports[0], nodePort: 30501 }] } });
    await becomes('dev: registry:5000\nlocal: localhost:30501\nnodes: 10.0.0.2:30501\n');
    await setReady(plane, 'node-b', { ready: false, address: '10.0.0.2' });
    await becomes('dev: registry:5000\nlocal: localhost:30501\nnodes: 10.0.0.1:30501\n');
  });

  await whole.test('a manual edit is reverted; a host that disappears is removed and reported', async (t) => {
    await change(plane, `/api/v1/namespaces/${releaseNamespace}/configmaps/hosts`, {
      data: { 'hosts.yaml': 'local: evil.example.com\n', other: 'kept' },
    });
    await becomes('dev: registry:5000\nlocal: localhost:30501\nnodes: 10.0.0.1:30501\n');
    await change(plane, `${hosting}/local-registry-hosting`, { data: { 'localRegistryHosting.v1': 'host: "https://scheme.example.com"' } });
    await becomes('local: localhost:30501\nnodes: 10.0.0.1:30501\n');
    await remove(plane, servicePath);
    await becomes('{}\n');
    // Events are written beside the ConfigMap, and may come later.
    for (const text of [/https:\/\/scheme\.example\.com.*without a scheme/, /there is no Service/])
      await eventually(`an event tells ${text.source}`, async () =>
        (await eventsOf(plane, releaseNamespace, 'HostUnresolved')).some(({ note = '' }) => text.test(note)),
      );
    t.match((await controller.get('/readyz')).text, 'hosts: registry local: there is no Service');
    t.equal((await controller.get('/readyz')).status, 200);
  });

  await whole.test('a dispute about the ConfigMap once caused a write for each write of the other client', async (t) => {
    const path = `/api/v1/namespaces/${releaseNamespace}/configmaps/hosts?fieldManager=replicator`;
    const series = 'transship_controller_writes_total{kind="configmap",verb="update",result="done"}';
    const before = (await metric(controller, series)) ?? 0;
    let edits = 0;
    await eventually('it is told', async () => {
      await change(plane, path, { data: { 'hosts.yaml': `# ${edits++}\n` } });
      return (await controller.get('/readyz')).text.includes('hosts: ConfigMap hosts is repeatedly changed or deleted by another client');
    });
    const writes = ((await metric(controller, series)) ?? 0) - before;
    t.ok(writes <= 6 && writes < edits, `${writes} writes for ${edits} edits`);
    const events = `/apis/events.k8s.io/v1/namespaces/${releaseNamespace}/events?fieldSelector=reason=WriteDisputed`;
    await eventually('one event', async () => (await succeed<{ items: EventsV1Event[] }>(plane, 'GET', events)).items.length === 1);
    t.match(
      (await succeed<{ items: EventsV1Event[] }>(plane, 'GET', events)).items[0]?.note,
      /ConfigMap hosts .*\(field manager replicator\)/,
    );
    t.equal((await controller.get('/readyz')).status, 200, 'no restart would mend it');
  });

  await whole.test('one leads; when it is killed the other takes over', async (t) => {
    const second = await runController(plane, { policy, args });
    await eventually('the second stands by', async () => (await second.get('/readyz')).text === 'standing by\n');
    t.equal(await metric(second, 'transship_controller_leader'), 0);
    t.equal((await second.get('/healthz')).status, 200);
    t.equal((await second.get('/else')).status, 404);
    const begin = performance.now();
    await controller.kill();
    await createNamespace(plane, 'after', { 'transship.dev/rewrite': 'enabled' });
    await eventually('the copy', async () => (await configOf(plane, 'after', 'regcred')) === dockerConfig('one'));
    t.comment(`leader killed, lease of ${leaseSeconds} s: ${((performance.now() - begin) / 1000).toFixed(2)} s`);
    await eventually('it leads', async () => (await metric(second, 'transship_controller_leader')) === 1);

    const third = await runController(plane, { policy, args });
    const handOver = performance.now();
    t.equal(await second.stop(), 0);
    await whenReady(third);
    t.comment(`leader stopped by SIGTERM: ${((performance.now() - handOver) / 1000).toFixed(2)} s`);
    await eventually('it says so', async () => linesOf(third.log()).some(({ msg }) => msg === 'leading'));
    // In one request: between two, the candidate could write the Lease itself.
    await change(plane, `/apis/coordination.k8s.io/v1/namespaces/${releaseNamespace}/leases/transship-controller`, {
      spec: { holderIdentity: 'somebody-else', leaseDurationSeconds: 2, renewTime: '2026-01-01T00:00:00.000000Z' },
    });
    await eventually('it lost', async () => third.log().includes('no longer leading'));
    await eventually('it leads again', async () => linesOf(third.log()).filter(({ msg }) => msg === 'leading').length === 2);
    await whenReady(third);
    await createNamespace(plane, 'again', { 'transship.dev/rewrite': 'enabled' });
    await eventually('the copy', async () => (await configOf(plane, 'again', 'regcred')) === dockerConfig('one'));
    t.equal(await third.stop(), 0);
  });
});

interface NodeState {
  readonly ready: boolean;
  readonly address: string;
}

async function createNode(plane: ControlPlane, name: string, state: NodeState): Promise<void> {
  await succeed(plane, 'POST', '/api/v1/nodes', { metadata: { name } });
  await setReady(plane, name, state);
}

const setReady = (plane: ControlPlane, name: string, { ready, address }: NodeState): Promise<unknown> =>
  change(plane, `/api/v1/nodes/${name}/status`, {
    status: { conditions: [{ type: 'Ready', status: ready ? 'True' : 'False' }], addresses: [{ type: 'InternalIP', address }] },
  });
