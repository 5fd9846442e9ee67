/** `transship scan` at the real API server with custom resources: which images they name, and what a user may not list. */
import { readFile } from 'node:fs/promises';
import { join } from 'node:path';

import type { V1APIGroupList } from '@kubernetes/client-node';
import tap, { test } from 'tap';

import { eventually } from '../charts/installed.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { transship } from '../cli/terminal.ts';
import { viewer } from './viewer.ts';

// Much longer than it takes.
tap.setTimeout(300_000);

/** As an operator's: any fields. */
const definition = (group: string, kind: string, scope: 'Namespaced' | 'Cluster') => ({
  metadata: { name: `${kind.toLowerCase()}s.${group}` },
  spec: {
    group,
    scope,
    names: { kind, plural: `${kind.toLowerCase()}s`, singular: kind.toLowerCase(), listKind: `${kind}List` },
    versions: [
      {
        name: 'v1',
        served: true,
        storage: true,
        schema: { openAPIV3Schema: { type: 'object', 'x-kubernetes-preserve-unknown-fields': true } },
      },
    ],
  },
});

const prometheus = (name: string, spec: object) => ({
  apiVersion: 'monitoring.example.com/v1',
  kind: 'Prometheus',
  metadata: { name },
  spec,
  status: { image: 'quay.io/status/ignored:1' },
});
const prometheuses = (namespace: string): string => `/apis/monitoring.example.com/v1/namespaces/${namespace}/prometheuss`;
const found = (stdout: string): string[] =>
  JSON.parse(stdout).customResources.map((each: Record<string, string>) =>
    [each['apiVersion'], each['kind'], each['namespace'], each['name'], each['field'], each['image']].join(' '),
  );

test('images of custom resources', { skip: skipReason({ level: 1 }) }, async (group) => {
  const plane = await startControlPlane(group);
  await plane.createNamespace('shop');
  await plane.createNamespace('data');
  const send = async (path: string, body: object, status = 201): Promise<void> => {
    group.equal((await plane.api.send('POST', path, body)).status, status, path);
  };
  const definitions = '/apis/apiextensions.k8s.io/v1/customresourcedefinitions';
  await send(definitions, definition('monitoring.example.com', 'Prometheus', 'Namespaced'));
  await send(definitions, definition('cloud.example.com', 'Fleet', 'Cluster'));
  const groups = async (): Promise<string[]> => (await plane.api.send<V1APIGroupList>('GET', '/apis')).body.groups.map(({ name }) => name);
  const served = async (name: string): Promise<boolean> =>
    (await groups()).includes(name) && (await plane.api.send('GET', `/apis/${name}/v1`)).status === 200;
  // The list of all groups is kept by another part of the API server, and may have a group later.
  for (const name of ['monitoring.example.com', 'cloud.example.com']) await eventually(`${name} is served`, () => served(name));
  await eventually('an object is accepted', async () => {
    const { status } = await plane.api.send(
      'POST',
      prometheuses('shop'),
      prometheus('main', {
        image: 'quay.io/prometheus/prometheus:v3',
        containers: [{ name: 'reload', image: 'quay.io/acme/reload:1' }],
        thanos: { image: { registry: 'quay.io', repository: 'thanos/thanos', tag: 'v0.40' } },
      }),
    );
    return status === 201;
  });
  await send(prometheuses('shop'), prometheus('second', { image: 'quay.io/prometheus/prometheus:v3' }));
  await send(prometheuses('data'), prometheus('other', { image: 'quay.io/prometheus/prometheus:v3', replicas: 2 }));
  await eventually('the other kind is served', async () => {
    const fleet = {
      apiVersion: 'cloud.example.com/v1',
      kind: 'Fleet',
      metadata: { name: 'all' },
      spec: { agentImage: 'ghcr.io/acme/agent:2' },
    };
    return (await plane.api.send('POST', '/apis/cloud.example.com/v1/fleets', fleet)).status === 201;
  });
  const scan = (...words: string[]) => transship(['scan', '--kubeconfig', plane.kubeconfig, ...words]);
  const ofShop = [
    'monitoring.example.com/v1 Prometheus shop main spec.containers[0].image quay.io/acme/reload:1',
    'monitoring.example.com/v1 Prometheus shop main spec.image quay.io/prometheus/prometheus:v3',
    'monitoring.example.com/v1 Prometheus shop main spec.thanos.image quay.io/thanos/thanos:v0.40',
  ];

  await group.test('each is told once in a namespace, with its field', async (t) => {
    const { code, stdout } = await scan('-A', '-o', 'json');
    t.equal(code, 0);
    t.strictSame(found(stdout), [
      'cloud.example.com/v1 Fleet  all spec.agentImage ghcr.io/acme/agent:2',
      'monitoring.example.com/v1 Prometheus data other spec.image quay.io/prometheus/prometheus:v3',
      ...ofShop,
    ]);
    t.strictSame(JSON.parse(stdout).notSeen, []);
    t.strictSame(found((await scan('-n', 'shop', '-o', 'json')).stdout), ofShop);
  });

  await group.test('the table and the page have them', async (t) => {
    const page = join(t.testdir({}), 'report.html');
    const { stdout } = await scan('-A', '--html', page);
    t.match(
      stdout,
      /Images in custom resources.*\n.*OBJECT.*\n(?:.*\n)*.*shop Prometheus\/main +spec\.containers\[0\]\.image +quay\.io\/acme\/reload:1/,
    );
    t.match(await readFile(page, 'utf8'), /spec\.thanos\.image[\s\S]*quay\.io\/thanos\/thanos:v0\.40/);
  });

  await group.test('what may not be listed is told once for each group, and the flag leaves them out', async (t) => {
    const rules = [{ apiGroups: [''], resources: ['pods', 'namespaces'], verbs: ['get', 'list'] }];
    await send('/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'pods-reader' }, rules });
    const folder = t.testdir({ kubeconfig: await viewer(plane, 'shop', 'pods-reader') });
    const { code, stdout } = await transship(['scan', '-A', '-o', 'json', '--kubeconfig', `${folder}/kubeconfig`]);
    t.equal(code, 0);
    const { customResources, notSeen } = JSON.parse(stdout);
    t.strictSame(customResources, []);
    t.match(
      notSeen.filter(({ what }: { what: string }) => what.startsWith('custom resources')),
      [
        { what: 'custom resources of cloud.example.com', why: /forbidden/ },
        { what: 'custom resources of monitoring.example.com', why: /forbidden/ },
      ],
    );
    const without = await scan('-A', '--no-custom-resources');
    t.notMatch(without.stdout, /custom resources/);
    t.match(without.stderr, /custom resources: left out by --no-custom-resources/);
  });
});
