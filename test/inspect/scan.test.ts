/** `transship scan`: a golden report of planted pods at the real API server, and the memory that many pods take. */
import { execFile } from 'node:child_process';
import { createServer } from 'node:https';
import type { AddressInfo } from 'node:net';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

import tap, { test } from 'tap';

import { podsPath } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { createAuthority } from '../cluster/pki.ts';
import { transship } from '../cli/terminal.ts';
import { viewer } from './viewer.ts';

// Much longer than it takes.
tap.setTimeout(300_000);

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] }
rules:
  - { name: hub, match: { images: [docker.io, quay.io] }, rewrite: { registry: mirror, as: path, collisions: accept } }
`;

const digest = `sha256:${'0a'.repeat(32)}`;
const pod = (name: string, image: string, more: { labels?: object; spec?: object; container?: object } = {}) => ({
  metadata: { name, labels: more.labels ?? {} },
  spec: { containers: [{ name: 'main', image, ...more.container }], ...more.spec },
});

const secret = (host: string) => ({
  metadata: { name: 'mirror-pull' },
  type: 'kubernetes.io/dockerconfigjson',
  stringData: { '.dockerconfigjson': JSON.stringify({ auths: { [host]: { username: 'a', password: 'b' } } }) },
});

test('a report of planted pods', { skip: skipReason({ level: 1 }) }, async (group) => {
  const plane = await startControlPlane(group);
  await plane.createNamespace('shop', labelled('enabled'));
  await plane.createNamespace('data');
  const planted: readonly (readonly [string, object])[] = [
    ['shop', pod('web-1', 'nginx:1')],
    ['shop', pod('web-2', 'nginx:1')],
    ['shop', pod('pinned', `quay.io/library/nginx@${digest}`, { spec: { imagePullSecrets: [{ name: 'own' }] } })],
    ['shop', pod('twin', 'quay.io/library/nginx:1')],
    ['shop', pod('broken', 'Not/An Image')],
    ['shop', pod('builder', 'gcr.io/kaniko/executor:1', { container: { args: ['--destination=quay.io/acme/built:1'] } })],
    ['data', pod('db', 'bitnami/postgresql:16', { labels: { 'cnpg.io/cluster': 'db' } })],
    ['data', pod('dns', 'k8s.gcr.io/coredns:1')],
  ];
  for (const [namespace, body] of planted) group.equal((await plane.api.send('POST', podsPath(namespace), body)).status, 201);
  const folder = group.testdir({ 'policy.yaml': policy });
  const scan = (...words: string[]) => transship(['scan', '--kubeconfig', plane.kubeconfig, ...words]);

  await group.test('without a policy', async (t) => {
    const { code, stdout } = await scan('-A', '-o', 'json');
    t.equal(code, 0);
    const report = JSON.parse(stdout);
    t.match(report, { pods: 8, plan: null, notSeen: [], imageManagers: [{ name: 'cloudnative-pg', pods: 1 }] });
    const images = new Map(report.images.map((image: { image: string }) => [image.image, image]));
    t.strictSame(images.get('nginx:1'), {
      image: 'nginx:1',
      registry: 'docker.io',
      pods: 2,
      namespaces: ['shop'],
      hasDigest: false,
      isAnonymousHub: true,
      moved: null,
    });
    t.match(images.get(`quay.io/library/nginx@${digest}`), { registry: 'quay.io', hasDigest: true, isAnonymousHub: false });
    t.match(images.get('bitnami/postgresql:16'), { moved: { sentence: /bitnamilegacy/, source: /^https:/ } });
    t.match(images.get('k8s.gcr.io/coredns:1'), { moved: { sentence: /frozen/ } });
    t.match(images.get('Not/An Image'), { registry: '' });
    t.strictSame(report.unexamined, [{ object: 'shop/builder', image: 'quay.io/acme/built:1' }]);
    const namespaces = new Map(
      report.namespaces.map(({ name, label, pods }: { name: string; label: string | null; pods: number }) => [name, { label, pods }]),
    );
    t.strictSame(namespaces.get('shop'), { label: 'enabled', pods: 6 });
    t.strictSame(namespaces.get('data'), { label: null, pods: 2 });
    t.equal((await scan('-A', '-o', 'json')).stdout, stdout, 'twice the same');
  });

  await group.test('with a policy', async (t) => {
    const { code, stdout } = await scan('-A', '-o', 'json', '--policy', join(folder, 'policy.yaml'));
    t.equal(code, 1);
    const { plan } = JSON.parse(stdout);
    t.match(
      plan.images.map(({ namespace, image, outcome, rule, result, pods, waiting }: Record<string, unknown>) => [
        namespace,
        image,
        outcome,
        rule,
        result,
        pods,
        waiting,
      ]),
      [
        ['data', 'bitnami/postgresql:16', 'excluded', null, null, 1, 0],
        ['data', 'k8s.gcr.io/coredns:1', 'no-rule', null, null, 1, 0],
        ['shop', 'Not/An Image', 'invalid', null, null, 1, 0],
        ['shop', 'gcr.io/kaniko/executor:1', 'no-rule', null, null, 1, 0],
        ['shop', 'nginx:1', 'rewritten', 'hub', 'mirror.example.com/library/nginx:1', 2, 2],
        ['shop', 'quay.io/library/nginx:1', 'rewritten', 'hub', 'mirror.example.com/library/nginx:1', 1, 1],
        ['shop', `quay.io/library/nginx@${digest}`, 'rewritten', 'hub', `mirror.example.com/library/nginx@${digest}`, 1, 1],
      ],
    );
    t.strictSame(plan.collisions, [
      { target: 'mirror.example.com/library/nginx:1', sources: ['docker.io/library/nginx:1', 'quay.io/library/nginx:1'] },
    ]);
    t.strictSame(plan.missingSecrets, [{ namespace: 'shop', secrets: ['mirror-pull'] }]);
    const shown = await scan('-A', '--policy', join(folder, 'policy.yaml'));
    for (const text of [
      '8 pods, 7 images',
      'The policy rewrites',
      'Two images, one target',
      'Missing pull secrets',
      'Moved or frozen',
      'cloudnative-pg',
    ])
      t.match(shown.stdout, text);
  });

  await group.test('what another policy would make of the same pods', async (t) => {
    const files = t.testdir({ 'old.yaml': policy, 'new.yaml': policy.replace('images: [docker.io, quay.io]', 'images: [docker.io]') });
    const words = [
      'diff',
      '--kubeconfig',
      plane.kubeconfig,
      '-A',
      '-o',
      'json',
      '--policy',
      join(files, 'old.yaml'),
      '--policy',
      join(files, 'new.yaml'),
    ];
    const { code, stdout } = await transship(words);
    t.equal(code, 1);
    const differences = stdout
      .trim()
      .split('\n')
      .map((line) => JSON.parse(line));
    t.same(new Set(differences.map(({ image }) => image)), new Set(['quay.io/library/nginx:1', `quay.io/library/nginx@${digest}`]));
    for (const { old, new: now } of differences) t.match([old.outcome, now.outcome], ['rewritten', 'no-rule']);
  });

  await group.test('one namespace, and wrong words', async (t) => {
    t.match(JSON.parse((await scan('-n', 'data', '-o', 'json')).stdout), { pods: 2, namespaces: [{ name: 'data' }] });
    t.match(await scan('-A', '-n', 'data'), { code: 2, stderr: /-A and -n exclude each other/ });
    t.match(await scan('data'), { code: 2, stderr: /unexpected argument "data"/ });
    const away = await transship([
      'scan',
      '--kubeconfig',
      join(t.testdir({ kubeconfig: kubeconfigOf('https://127.0.0.1:1') }), 'kubeconfig'),
    ]);
    t.match(away, { code: 2, stderr: /CLUSTER_UNREACHABLE: the API server does not answer: .*ECONNREFUSED/ });
  });

  await group.test('a namespace that is not there was one without pods', async (t) => {
    t.match(await scan('-n', 'shopp'), { code: 2, stdout: '', stderr: /there is no namespace shopp; check the name and the context/ });
  });

  await group.test('a viewer sees everything but Secrets, and is told', async (t) => {
    const file = join(t.testdir({ kubeconfig: await viewer(plane, 'shop', 'system:aggregate-to-view') }), 'kubeconfig');
    const { stdout, stderr } = await transship(['scan', '--kubeconfig', file, '-A', '--policy', join(folder, 'policy.yaml')]);
    t.match(stdout, 'The policy rewrites');
    t.notMatch(stdout, 'Missing pull secrets');
    t.match(stderr, /Could not see:\n {2}secrets in namespace shop: .*forbidden/);
  });

  await group.test('what the controller found missing in a registry', async (t) => {
    const since = '2026-06-01T12:00:00.000Z';
    const missing = [
      { image: 'mirror.example.com/library/nginx:1', registry: 'mirror', source: 'nginx:1', since },
      { image: 'mirror.example.com/library/gone:1', registry: 'mirror', source: 'gone:1', since },
      { image: 'k8s.gcr.io/coredns:1', registry: 'other', source: 'k8s.gcr.io/coredns:1', since },
    ];
    const path = '/api/v1/namespaces/data/configmaps';
    const plant = async (name: string, data: object): Promise<void> => {
      const metadata = { name, labels: { 'app.kubernetes.io/managed-by': 'transship' } };
      t.equal((await plane.api.send('POST', path, { metadata, data })).status, 201);
    };
    await plant('transship-verify', { 'status.json': JSON.stringify({ missing, problems: [] }) });
    await plant('transship-hosts', { 'hosts.yaml': '{}' });
    const asked = policy.replace('host: mirror.example.com,', 'host: mirror.example.com, verify: true,');
    const files = t.testdir({ 'asked.yaml': asked });
    const { code, stdout } = await scan('-A', '-o', 'json', '--policy', join(files, 'asked.yaml'));
    t.equal(code, 1);
    t.strictSame(
      JSON.parse(stdout).plan.missingImages,
      [{ ...missing[0], namespaces: ['shop'] }],
      'of the pods that are there, in registries that are asked',
    );
    const shown = await scan('-A', '--policy', join(files, 'asked.yaml'));
    t.match(
      shown.stdout,
      /Missing in the registry, as the controller found\n[^\n]+\n\s+mirror\.example\.com\/library\/nginx:1\s+mirror\s+2026-06-01T12:00:00\.000Z\s+nginx:1\s+shop/,
    );
    const unasked = await scan('-A', '-o', 'json', '--policy', join(folder, 'policy.yaml'));
    t.strictSame(JSON.parse(unasked.stdout).plan.missingImages, [], 'a policy without verify');

    // The controller that wrote it runs without the feature by now: what it found once was told as if it were so today.
    const deployments = path.replace('/api/v1/', '/apis/apps/v1/').replace('/configmaps', '/deployments');
    const labels = { app: 'controller' };
    for (const [features, told] of [
      ['secrets,verify', 1],
      ['secrets', 0],
    ] as const) {
      const container = { name: 'controller', image: 'transship', args: ['controller', `--features=${features}`] };
      const template = { metadata: { labels }, spec: { containers: [container] } };
      const body = { metadata: { name: 'transship-controller' }, spec: { replicas: 0, selector: { matchLabels: labels }, template } };
      t.equal((await plane.api.send('POST', deployments, body)).status, 201);
      const found = await scan('-A', '-o', 'json', '--policy', join(files, 'asked.yaml'));
      t.equal(JSON.parse(found.stdout).plan.missingImages.length, told, features);
      const text = `${found.stdout}${found.stderr}`;
      t.equal(
        /transship-verify in namespace \S+ was left behind when the feature verify, or the controller, was disabled/.test(text),
        told === 0,
        features,
      );
      t.equal((await plane.api.send('DELETE', `${deployments}/transship-controller`)).status, 200);
    }
    // Neither is what a controller found that is not there any more: verify was its last feature, or the release was uninstalled.
    const leases = path.replace('/api/v1/', '/apis/coordination.k8s.io/v1/').replace('/configmaps', '/leases');
    for (const [holderIdentity, told] of [
      ['somebody', 1],
      ['', 0],
    ] as const) {
      const body = { metadata: { name: 'transship-controller' }, spec: { holderIdentity, leaseDurationSeconds: 1 } };
      t.equal((await plane.api.send('POST', leases, body)).status, 201);
      const found = await scan('-A', '-o', 'json', '--policy', join(files, 'asked.yaml'));
      t.equal(JSON.parse(found.stdout).plan.missingImages.length, told, `a Lease of ${holderIdentity}`);
      t.equal((await plane.api.send('DELETE', `${leases}/transship-controller`)).status, 200);
    }
  });

  await group.test('pull secrets that are there and fit no image were not told', async (t) => {
    const secretsPath = '/api/v1/namespaces/shop/secrets';
    const planWith = async (host: string): Promise<{ missingSecrets: object[]; unfitSecrets: object[] }> => {
      t.equal((await plane.api.send('POST', secretsPath, secret(host))).status, 201);
      const { stdout } = await scan('-A', '-o', 'json', '--policy', join(folder, 'policy.yaml'));
      t.equal((await plane.api.send('DELETE', `${secretsPath}/mirror-pull`)).status, 200);
      return JSON.parse(stdout).plan;
    };
    const wrong = await planWith('other.example.com');
    t.strictSame(wrong.missingSecrets, []);
    t.match(wrong.unfitSecrets, [{ namespace: 'shop', secrets: ['mirror-pull'], image: /^mirror\.example\.com\/library\/nginx/ }]);
    t.strictSame((await planWith('mirror.example.com')).unfitSecrets, []);
  });
});

const deployment = (name: string, image: string) => `apiVersion: apps/v1
kind: Deployment
metadata: { name: ${name} }
spec: { template: { spec: { containers: [{ name: main, image: ${image}, args: [--sidecar=quay.io/acme/sidecar:1] }] } } }
`;

test('the pods of manifests, without a cluster', async (t) => {
  const folder = t.testdir({
    'policy.yaml': policy,
    'app.yaml': [deployment('web', 'nginx:1'), deployment('twin', 'quay.io/library/nginx:1')].join('---\n'),
    'broken.yaml': 'a: [',
    'custom.yaml': 'kind: Prometheus\nmetadata: { name: p }\nspec: { image: "quay.io/prometheus/prometheus:v3" }\n',
  });
  const scan = (...words: string[]) => transship(['scan', '-f', `${folder}/app.yaml`, '-o', 'json', ...words]);
  const { code, stdout } = await scan('-n', 'shop', '--policy', `${folder}/policy.yaml`);
  t.equal(code, 1, 'two images, one target');
  t.match(JSON.parse(stdout), {
    pods: 2,
    images: [{ image: 'nginx:1', namespaces: ['shop'] }, { image: 'quay.io/library/nginx:1' }],
    unexamined: [{ object: 'shop/web', image: 'quay.io/acme/sidecar:1' }],
    plan: { collisions: [{ target: 'mirror.example.com/library/nginx:1' }], missingSecrets: [] },
    notSeen: [],
  });
  const custom = await scan('-f', `${folder}/custom.yaml`);
  t.match(
    custom.stderr,
    /custom\.yaml:3:\d+: Prometheus\/p: spec\.image names quay\.io\/prometheus\/prometheus:v3, which was not examined/,
    'images of custom resources were once left out in silence',
  );
  t.notMatch(custom.stderr, /containers\[0\]\.image/, 'those of containers are examined');
  t.match(await scan('-A'), { code: 2, stderr: /-A and -f exclude each other/ });
  t.match(await scan('-f', `${folder}/broken.yaml`), { code: 2, stderr: /broken\.yaml/ });
});

function kubeconfigOf(server: string, authority?: string): string {
  const cluster = {
    server,
    ...(authority === undefined ? {} : { 'certificate-authority-data': Buffer.from(authority).toString('base64') }),
  };
  return JSON.stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': 'a',
    contexts: [{ name: 'a', context: { cluster: 'a', user: 'a' } }],
    clusters: [{ name: 'a', cluster }],
    users: [{ name: 'a', user: {} }],
  });
}

test('5,000 pods take less than 150 MiB', { skip: process.platform === 'linux' ? false : 'needs /proc' }, async (t) => {
  // Stands in for an API server: to create 5,000 pods at a real one takes minutes. It answers in its form, page by page.
  const authority = await createAuthority('scan');
  const { certificate, key } = await authority.server(['127.0.0.1']);
  const environment = Array.from({ length: 60 }, (_value, index) => ({ name: `VARIABLE_${index}`, value: 'x'.repeat(60) }));
  const discovered: Readonly<Record<string, object>> = {
    '/apis': { groups: [{ name: 'runs.example.com', versions: [{ groupVersion: 'runs.example.com/v1', version: 'v1' }] }] },
    '/apis/runs.example.com/v1': { resources: [{ name: 'runs', kind: 'Run', namespaced: true, verbs: ['list'] }] },
  };
  const server = createServer({ cert: certificate, key }, (request, response) => {
    const url = new URL(request.url ?? '/', 'https://a');
    const start = Number(url.searchParams.get('continue') ?? 0);
    const limit = Number(url.searchParams.get('limit') ?? 500);
    response.setHeader('content-type', 'application/json');
    const discovery = discovered[url.pathname];
    if (discovery !== undefined) {
      response.end(JSON.stringify(discovery));
      return;
    }
    // Of the size of a large Helm release or a workflow.
    const custom = Array.from({ length: limit }, (_value, index) => ({
      metadata: { name: `run-${start + index}`, namespace: 'team-1' },
      spec: { image: `quay.io/acme/run:${(start + index) % 500}`, script: 'x'.repeat(30_000) },
    }));
    const isCustom = url.pathname === '/apis/runs.example.com/v1/runs';
    const items = isCustom
      ? custom
      : url.pathname !== '/api/v1/pods'
        ? []
        : Array.from({ length: Math.min(limit, 5_000 - start) }, (_value, index) => ({
            metadata: { name: `pod-${start + index}`, namespace: `team-${index % 50}` },
            spec: { containers: [{ name: 'main', image: `nginx:${(start + index) % 700}`, env: environment }] },
          }));
    const hasMore = isCustom || (url.pathname === '/api/v1/pods' && start + limit < 5_000);
    const next = hasMore ? String(start + limit) : undefined;
    response.end(JSON.stringify({ kind: 'List', apiVersion: 'v1', metadata: { resourceVersion: '1', continue: next }, items }));
  }).listen(0, '127.0.0.1');
  t.teardown(() => void server.close());
  await new Promise((resolve) => void server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
  // The installed command: in a checkout, taking out types costs memory of its own.
  const installed = t.testdir({ 'package.json': '{}', kubeconfig: kubeconfigOf(`https://127.0.0.1:${port}`, authority.certificate) });
  const bundle = join(installed, 'dist/bundle');
  await promisify(execFile)(process.execPath, [fileURLToPath(new URL('../../tools/bundle/bundle.ts', import.meta.url)), bundle], { env });
  const script = `process.once('exit', () => process.stderr.write('peak ' + process.resourceUsage().maxRSS));
    process.argv = [process.argv[0], 'transship', ...process.argv.slice(1)];
    await import(${JSON.stringify(join(bundle, 'main.js'))});`;
  const words = ['--input-type=module', '--eval', script, '--', 'scan', '-A', '-o', 'json', '--kubeconfig', join(installed, 'kubeconfig')];
  const { stdout, stderr } = await promisify(execFile)(process.execPath, words, { env, maxBuffer: 1 << 26 });
  const report = JSON.parse(stdout);
  t.match(report, { pods: 5_000, notSeen: [{ what: 'custom resources runs.runs.example.com', why: 'only the first 2000 were read' }] });
  t.equal(report.customResources.length, 500);
  const peak = Number(/peak (\d+)/.exec(stderr)?.[1]) / 1024;
  t.comment(`${Math.round(peak)} MiB`);
  t.ok(peak < 150, `${Math.round(peak)} MiB`);
});
