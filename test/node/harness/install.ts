/** transship on a node as its users get it: the image in the cluster's registry, the chart with its defaults. */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { V1Pod } from '@kubernetes/client-node';
import { parse } from 'yaml';

import { copyWithLibraries, writeArchive } from './archive.ts';
import type { TestNode } from './node.ts';
import { patience, poll } from './poll.ts';
import { productImage } from './product-image.ts';
import { pushOpen } from './registry.ts';
import { openRegistry } from './settings.ts';
import { imagesOf, secretsOf } from './workloads.ts';

export const chart = fileURLToPath(new URL('../../../charts/transship', import.meta.url));
export const release = 'transship';

type Values = Readonly<Record<string, unknown>>;
export type Policy = { registries: Record<string, Record<string, unknown>>; rules: object[]; [key: string]: unknown };

/** The policy in examples/NAME.yaml, as an object that a test may add credentials to. */
export const examplePolicy = (name: string): Policy =>
  parse(readFileSync(new URL(`../../../examples/${name}.yaml`, import.meta.url), 'utf8')) as Policy;

/** Pushes the product's image, installs the chart and resolves when all of its pods are ready. */
export async function install(node: TestNode, values: Values & { readonly rewritePolicy: object }): Promise<void> {
  await pushOpen(node, 'transship:0.1.0', { archive: await productImage() });
  await helm(node, 'install', values);
}

/** Resolves when all pods of the release are ready; the API server and the pods may know of what is new a moment later. */
export const upgrade = (node: TestNode, values: Values): Promise<void> => helm(node, 'upgrade', values);

/** A chart other than this checkout's may be given by its folder. */
export async function helm(node: TestNode, verb: 'install' | 'upgrade', values: Values, folder: string = chart): Promise<void> {
  const all = { image: { registry: openRegistry.address }, ...values };
  const words = [
    verb,
    release,
    folder,
    '--namespace',
    release,
    '--create-namespace',
    '--wait',
    '--timeout',
    `${patience}s`,
    '--values',
    '-',
  ];
  await node.helm(verb === 'install' ? words : words.filter((word) => word !== '--create-namespace'), { input: JSON.stringify(all) });
}

/** The pod as it would be created, without creating it. */
export async function dryRun(node: TestNode, namespace: string, image: string): Promise<V1Pod> {
  const { stdout } = await node.kubectl(['run', 'dry', `--image=${image}`, '--namespace', namespace, '--dry-run=server', '--output=json']);
  return JSON.parse(stdout) as V1Pod;
}

/**
 * Resolves when pods of the namespace get this image for that one: the policy has reached every pod, and the API server the webhook.
 *
 * @param secrets all the pull secrets that they get; whichever when not given
 */
export async function becomes(
  node: TestNode,
  namespace: string,
  [image, expected]: readonly [string, string],
  secrets?: readonly string[],
): Promise<void> {
  await poll(`${image} becomes ${expected}`, async () => {
    const pods = await Promise.all([1, 2, 3, 4].map(() => dryRun(node, namespace, image)));
    for (const pod of pods) {
      const [present] = imagesOf(pod);
      if (present !== expected) throw new Error(`it is ${present}`);
      if (secrets !== undefined && secretsOf(pod).join() !== secrets.join())
        throw new Error(`it has the secrets ${secretsOf(pod).join() || '(none)'}`);
    }
    return true;
  });
}

/** An image of this machine's docker-registry, in the open registry; returns its name. */
export async function pushRegistryImage(node: TestNode): Promise<string> {
  const root = join(node.folder, 'registry-image');
  mkdirSync(root);
  copyWithLibraries(execFileSync('which', ['docker-registry'], { encoding: 'utf8' }).trim(), root, 'registry');
  const archive = `${root}.tar`;
  writeArchive(archive, { name: 'transship.test/registry:1', root, entrypoint: ['/registry'], label: 'registry' });
  await pushOpen(node, 'registry:1', { archive });
  return `${openRegistry.address}/registry:1`;
}
