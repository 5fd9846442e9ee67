/** How a stranger gets transship onto a node: from a registry, and from one file where there is no registry. */
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { CoreV1EventList, V1PodList } from '@kubernetes/client-node';
import t from 'tap';

import { packageChart } from '../../tools/release/artefacts.ts';
import { buildAirgapBundle } from '../../tools/release/airgap.ts';
import { pathWithBinaries } from '../cluster/binaries.ts';
import { becomes, type Policy } from './harness/install.ts';
import { startNode, type TestNode } from './harness/node.ts';
import { patience, poll } from './harness/poll.ts';
import { productImage } from './harness/product-image.ts';
import { createPullSecret, pushOpen, pushPrivate } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { openRegistry } from './harness/settings.ts';
import { apply, createNamespace, imagesOf, running, template } from './harness/workloads.ts';

const mirror = 'mirror.example.com';
const version = '0.1.0';
const policy: Policy = {
  registries: { mirror: { host: mirror, pullSecrets: ['mirror-pull'], credentials: { secret: 'mirror-account' } } },
  rules: [{ name: 'all', match: { images: ['docker.io', 'quay.io'] }, rewrite: { registry: 'mirror', as: 'path' } }],
};
const installed = JSON.stringify({ rewritePolicy: { inline: policy } });

// The release's own steps look for helm there.
process.env['PATH'] = pathWithBinaries();

/** A release's settings, with its folder made. */
function buildFor(node: TestNode, registry: string) {
  const output = join(node.folder, 'release');
  mkdirSync(output);
  const project = fileURLToPath(new URL('../..', import.meta.url));
  return { project, version, base: '', output, time: new Date(0), registry, platforms: [] };
}

async function prepare(node: TestNode): Promise<void> {
  sendToPrivateRegistry(node.folder, mirror);
  await pushPrivate(node, 'acme/app:1');
  await node.kubectl(['create', 'namespace', 'transship']);
  await createPullSecret(node, { name: 'mirror-account', namespace: 'transship', host: mirror });
}

/** A pod of an opted-in namespace runs with a private image of the mirror. */
async function rewrites(node: TestNode): Promise<(string | undefined)[]> {
  await createNamespace(node, 'shop');
  await becomes(node, 'shop', ['quay.io/acme/app:1', `${mirror}/acme/app:1`]);
  const { metadata, spec } = template('app', 'quay.io/acme/app:1');
  await apply(node, { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'app', namespace: 'shop' }, spec });
  return imagesOf(await running(node, 'shop', 'app'));
}

async function ownImages(node: TestNode): Promise<Set<string | undefined>> {
  const { stdout } = await node.kubectl(['get', 'pods', '--namespace', 'transship', '--output=json']);
  return new Set((JSON.parse(stdout) as V1PodList).items.flatMap(({ spec }) => spec?.containers.map(({ image }) => image) ?? []));
}

const digestOf = async (node: TestNode, image: string): Promise<string> =>
  (await node.run(['skopeo', 'inspect', '--tls-verify=false', '--format', '{{.Digest}}', image])).stdout.trim();

t.test('from a registry: chart and image by digest', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  await prepare(node);
  const registry = `${openRegistry.address}/team`;
  await pushOpen(node, `team/transship:${version}`, { archive: await productImage() });
  const digest = await digestOf(node, `docker://${registry}/transship:${version}`);
  await node.helm(['push', packageChart(buildFor(node, registry), digest), `oci://${registry}/charts`, '--plain-http']);
  const words = [
    'install',
    'transship',
    `oci://${registry}/charts/transship`,
    '--plain-http',
    '--version',
    version,
    '--namespace',
    'transship',
  ];
  await node.helm([...words, '--wait', '--timeout', `${patience}s`, '--values', '-'], { input: installed });
  tt.strictSame(await ownImages(node), new Set([`${registry}/transship@${digest}`]));
  tt.strictSame(await rewrites(node), [`${mirror}/acme/app:1`]);
});

t.test('from the air-gap bundle, as its README says: nothing is pulled', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  await prepare(node);
  // Nobody answers for this name.
  const build = buildFor(node, 'registry.invalid/team');
  const image = join(node.folder, `transship-${version}-oci.tar`);
  await node.run([
    'skopeo',
    'copy',
    '--quiet',
    '--insecure-policy',
    `docker-archive:${await productImage()}`,
    `oci-archive:${image}:${version}`,
  ]);
  const digest = await digestOf(node, `oci-archive:${image}:${version}`);
  await buildAirgapBundle(build, { image, chart: packageChart(build, digest) });

  const folder = join(node.folder, 'bundle');
  mkdirSync(folder);
  await node.run(['tar', '-xf', join(build.output, `transship-${version}-airgap.tar`), '-C', folder]);
  const commands = readFileSync(join(folder, 'README.txt'), 'utf8')
    .split('\n')
    .flatMap((line) => (line.startsWith('    ') ? [line.trim().split(' ')] : []));
  const command = (program: string): string[] => commands.find(([word]) => word === program) ?? [`the README has no ${program}`];
  await node.run(command('sha256sum'), { cwd: folder });
  const [ctr = '', ...words] = command('ctr').map((word) => (word.endsWith('.tar') ? join(folder, word) : word));
  await node.exec([ctr, '--address', '/run/containerd/containerd.sock', ...words]);
  const [, ...install] = command('helm').map((word) =>
    word.endsWith('.tgz') ? join(folder, word) : word === 'my-values.yaml' ? '-' : word,
  );
  await node.helm([...install, '--wait', '--timeout', `${patience}s`], { input: installed });
  tt.strictSame(await ownImages(node), new Set([`registry.invalid/team/transship@${digest}`]));
  tt.strictSame(await rewrites(node), [`${mirror}/acme/app:1`]);

  const messages = await poll('what the kubelet says of the images', async () => {
    const { stdout } = await node.kubectl(['get', 'events', '--namespace', 'transship', '--output=json']);
    const { items } = JSON.parse(stdout) as CoreV1EventList;
    const found = items.filter(({ reason }) => reason?.startsWith('Pull') === true).map(({ message }) => message);
    return found.length > 0 ? found : undefined;
  });
  for (const message of messages) tt.match(message, /already present on machine/);
});
