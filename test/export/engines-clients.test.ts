/** What clients of every kind send about pods: to the webhook's cluster and to the compiled policy's, with whole answers compared. */
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import type { ApiAnswer } from '../cluster/api.ts';
import { create, stories, type Request, type Story } from './client-requests.ts';
import { compiledEngine, webhookEngine, type Engine } from './engines.ts';
import { oddPods } from './odd-pods.ts';
import { probed } from './probed-policy.ts';

tap.setTimeout(300_000);

const policy =
  probed(`apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com/hub, pullSecrets: [mirror-pull] }
  vendor: { host: vendor.example.com, pullSecrets: [vendor-pull, one] }
  open: { host: open.example.com }
  backup: { host: backup.example.com, pullSecrets: [backup-pull] }
exclude: { images: [docker.io/library/pause] }
rules:
  - { name: kept, match: { images: [quay.io/kept] }, rewrite: { registry: vendor, as: path }, onMissingSecret: keep }
  - { name: labelled, match: { images: [docker.io], podLabels: { tier: open } }, rewrite: { registry: open, as: flatten } }
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path }, pullPolicy: derive, alternatives: [{ registry: backup, as: path }] }
  - { name: always, match: { images: [ghcr.io] }, rewrite: { registry: open, as: fullName }, pullPolicy: Always }
  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: vendor, as: path } }
  - { name: attached, match: { images: [attached.example.com] }, pullSecrets: [attached-pull] }
`) ?? '';

const volatile = ['uid', 'resourceVersion', 'creationTimestamp', 'deletionTimestamp'] as const;

/** Without what differs from one request to the next. */
function stable({ status, body, warnings }: ApiAnswer<Record<string, unknown>>): unknown {
  const object: Record<string, unknown> = structuredClone(body);
  const metadata = object['metadata'] as Record<string, unknown> | undefined;
  if (metadata !== undefined) {
    for (const field of volatile) if (metadata[field] !== undefined) metadata[field] = 'some';
    if (Array.isArray(metadata['managedFields'])) metadata['managedFields'] = withoutTimes(metadata['managedFields']);
    if (typeof metadata['generateName'] === 'string' && 'uid' in metadata) metadata['name'] = 'generated';
  }
  const text = JSON.stringify(object)
    .replaceAll(/[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}/g, 'UID')
    .replaceAll(/\d{4}-\d\d-\d\dT[\d:.]+Z/g, 'TIME')
    .replaceAll(/kube-api-access-\w+/g, 'TOKEN')
    .replaceAll(/(resourceVersion[\\":]+)\d+/g, '$1N')
    .replaceAll(/n{50,}[a-z0-9]{5}\b/g, 'GENERATED')
    .replaceAll(/10\.\d+\.\d+\.\d+|127\.\d+\.\d+\.\d+/g, 'IP');
  return { status, warnings: warnings.filter((each) => !each.includes('transship')), object: JSON.parse(text) };
}

/** The API server orders them by time, in whole seconds. */
function withoutTimes(managedFields: readonly object[]): object[] {
  const entries = managedFields.map((entry): object => ({ ...entry, time: undefined }));
  return entries.toSorted((one, other) => JSON.stringify(one).localeCompare(JSON.stringify(other)));
}

const kubectl: readonly (readonly string[])[] = [
  ['run', 'web', '--image=nginx:1', '--overrides={"spec":{"automountServiceAccountToken":false}}'],
  [
    'run',
    'web2',
    '--image=quay.io/kept/x',
    '--image-pull-policy=Never',
    '--restart=Never',
    '--labels=tier=open',
    '--annotations=a=b',
    '--overrides={"spec":{"automountServiceAccountToken":false}}',
  ],
  ['run', 'web3', '--image=nginx', '--dry-run=server', '-o', 'jsonpath={.spec.containers[0].image}'],
  ['set', 'image', 'pod/web', 'web=nginx:2'],
  ['set', 'image', 'pod/web', 'web=nginx:2'],
  ['set', 'image', 'pod/web', 'web=mirror.example.com/hub/library/nginx:2'],
  ['set', 'image', 'pods', '--all', '*=redis:7'],
  ['set', 'image', 'pod/web', 'web=quay.io/a:1', '--dry-run=server', '-o', 'jsonpath={.spec.containers[0].image}'],
  ['debug', 'web', '--image=busybox', '--container=dbg', '--target=web', '--profile=general', '--attach=false'],
  ['debug', 'web', '--image=quay.io/kept/x', '--container=dbg2', '--profile=restricted', '--attach=false'],
  ['debug', 'web', '--image=busybox', '--container=copied', '--copy-to=web-copy', '--profile=general', '--attach=false'],
  ['debug', 'web2', '--copy-to=web-copy2', '--set-image=*=ghcr.io/x/y:1', '--same-node', '--profile=general', '--attach=false'],
  ['label', 'pod/web', 'tier=open'],
  ['set', 'image', 'pod/web', 'web=redis:8'],
  ['annotate', 'pod/web', 'transship.dev/original-images-', 'x=y'],
  ['edit', 'pod/web'],
  ['patch', 'pod/web', '-p', '{"spec":{"containers":[{"name":"web","image":"nginx:3"}]}}'],
  ['patch', 'pod/web', '--type=json', '-p', '[{"op":"replace","path":"/spec/containers/0/image","value":"nginx:4"}]'],
  ['patch', 'pod/web', '--type=merge', '-p', '{"metadata":{"labels":null},"spec":{"containers":[{"name":"web","image":"nginx:5"}]}}'],
  [
    'patch',
    'pod/web',
    '--subresource=resize',
    '-p',
    '{"spec":{"containers":[{"name":"web","image":"nginx:6","resources":{"requests":{"cpu":"1m"}}}]}}',
  ],
];

async function answers(
  engines: readonly Engine[],
  { method, path, query = '', type = 'application/json', body }: Request,
): Promise<unknown[]> {
  const url = `/api/v1/namespaces/shop/pods${path}${query === '' ? '' : `?${query}`}`;
  return Promise.all(engines.map(async ({ plane }) => stable(await plane.api.send(method, url, body, type))));
}

/** Its output, and the pods as they are then. */
async function said({ plane }: Engine, args: readonly string[]): Promise<unknown> {
  const output = await plane.kubectl([...args, '--namespace', 'shop']).then(
    ({ stdout, stderr }) => stdout + stderr.replaceAll(/^Warning: transship: .*\n/gm, ''),
    (error: unknown) => String(error),
  );
  const { body } = await plane.api.send('GET', '/api/v1/namespaces/shop/pods');
  return { output, pods: (body['items'] as Record<string, unknown>[]).map((each) => stable({ status: 200, body: each, warnings: [] })) };
}

const isRewritten = (answer: unknown): boolean => /"image":"(?:mirror|open|vendor)\.example\.com/.test(JSON.stringify(answer));

for (const minor of ['1.36', '1.37'])
  test(`clients of Kubernetes ${minor}`, { skip: skipReason({ level: 1, minor }) }, async (group) => {
    // Of `kubectl edit`: the first image of the pod.
    process.env['KUBE_EDITOR'] = "sed -i '0,/- image: /s#image: .*#image: memcached:1#'";
    const engines = await Promise.all([webhookEngine(group, { minor }), compiledEngine(group, { minor })]);
    await Promise.all(engines.map((engine) => engine.enforce(policy)));
    for (const { plane } of engines) await plane.api.send('POST', '/api/v1/nodes', { metadata: { name: 'n1' } });
    const cleared = () =>
      Promise.all(engines.map(({ plane }) => plane.api.send('DELETE', '/api/v1/namespaces/shop/pods?gracePeriodSeconds=0')));

    await group.test('each request, tried and sent', async (t) => {
      let rewritten = 0;
      for (const [says, requests] of [...stories, ...oddPods.map(([name, body]): Story => [name, [create(body)]])]) {
        for (const [index, request] of requests.entries())
          for (const each of [{ ...request, query: [request.query, 'dryRun=All'].filter(Boolean).join('&') }, request]) {
            const [webhook, compiled] = await answers(engines, each);
            if (isRewritten(webhook)) rewritten += 1;
            t.strictSame(compiled, webhook, `${says}: ${index + 1} ${each.query ?? ''}`);
          }
        await cleared();
      }
      t.ok(rewritten > 150, `${rewritten} answers have rewritten images`);
    });

    await group.test('kubectl', async (t) => {
      for (const args of kubectl) {
        const [webhook, compiled] = await Promise.all(engines.map((engine) => said(engine, args)));
        t.strictSame(compiled, webhook, args.join(' '));
        t.ok(isRewritten(webhook));
      }
    });
  });
