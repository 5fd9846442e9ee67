/** containerd pulls through the files of `transship export containerd`, for pods that no webhook sees; there is none in this cluster. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import t from 'tap';

import { transship } from '../cli/terminal.ts';
import { startNode } from './harness/node.ts';
import { pushOpen } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { openRegistry, paths } from './harness/settings.ts';
import { apply, createNamespace, failingToPull, imagesOf, running, template } from './harness/workloads.ts';

/** The open registry by another name: as a source it has images too. */
const source = '127.0.0.1:5005';
const policy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: '${openRegistry.address}' } }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path, prefix: hub } }
  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: mirror, as: fullName } }
  - { name: port, match: { images: ['${source}'] }, rewrite: { registry: mirror, as: path, prefix: mirrored } }
`;

function pod(namespace: string, name: string, image: string): object {
  const { metadata, spec } = template(name, image);
  return { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name, namespace }, spec };
}

t.test('exported mirrors', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  const hosts = paths(node.folder).registryHosts;
  const file = join(node.folder, 'policy.yaml');
  writeFileSync(file, policy);
  tt.same(await transship(['export', 'containerd', '--policy', file, '--output-dir', hosts]), {
    code: 0,
    stdout: '',
    stderr: `3 files written to ${hosts}\n`,
  });
  await createNamespace(node, 'shop', {});

  await tt.test('pods of any namespace pull from the mirror, and keep the name that they were written with', async (test) => {
    await pushOpen(node, 'hub/library/app:1');
    await pushOpen(node, 'quay.io/acme/app:1');
    await apply(node, pod('kube-system', 'short', 'app:1'), pod('shop', 'quay', 'quay.io/acme/app:1'));
    test.strictSame(imagesOf(await running(node, 'kube-system', 'short')), ['app:1']);
    test.strictSame(imagesOf(await running(node, 'shop', 'quay')), ['quay.io/acme/app:1']);
    const log = node.log('registry-open');
    test.match(log, /\/v2\/hub\/library\/app\/manifests\/1\?ns=docker\.io/);
    test.match(log, /\/v2\/quay\.io\/acme\/app\/manifests\/1\?ns=quay\.io/);
  });

  await tt.test('the source is not asked for what the mirror does not have, until it has it', async (test) => {
    await pushOpen(node, 'acme/late:1');
    await apply(node, pod('shop', 'late', `${source}/acme/late:1`));
    await failingToPull(node, 'shop', 'late');
    await pushOpen(node, 'mirrored/acme/late:1');
    test.strictSame(imagesOf(await running(node, 'shop', 'late')), [`${source}/acme/late:1`]);
    test.notMatch(node.log('registry-open'), /\/v2\/acme\/late\/manifests\/1.*containerd/);
  });

  await tt.test('a file that names the mirror as a host, without a server, has the source asked after it', async (test) => {
    const folder = join(hosts, '127.0.0.1_5005_');
    mkdirSync(folder, { recursive: true });
    const host = `[host."http://${openRegistry.address}/v2/mirrored"]\n  capabilities = ["pull", "resolve"]\n  override_path = true\n`;
    writeFileSync(join(folder, 'hosts.toml'), host);
    await pushOpen(node, 'acme/fallback:1');
    await apply(node, pod('shop', 'fallback', `${source}/acme/fallback:1`));
    test.strictSame(imagesOf(await running(node, 'shop', 'fallback')), [`${source}/acme/fallback:1`]);
    test.match(node.log('registry-open'), /\/v2\/acme\/fallback\/manifests\/1.*containerd/);
  });
});
