/** The image of the product, built by buildah from the Dockerfile that is shipped, once for each state of the sources. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { cacheFolder } from '../../cluster/binaries.ts';
import { temporaryFolder } from '../../cluster/temporary-folder.ts';
import { buildBase, npmConfig, runtimeBase, writeBuildBase, writeRuntimeBase } from './base-images.ts';
import { run } from './inside.ts';
import { searchPath } from './requirements.ts';

const project = fileURLToPath(new URL('../../..', import.meta.url));

/** What the Dockerfile copies, and the Dockerfile. */
const sources = [
  'Dockerfile',
  '.dockerignore',
  '.npmrc',
  'package.json',
  'package-lock.json',
  'tsconfig.json',
  'tools/bundle',
  'src',
  'examples',
];

/** Name in the archive; the tag is that of the chart's appVersion, so that the chart's default finds it. */
export const productName = 'localhost/transship:0.1.0';

function filesBelow(path: string): string[] {
  if (!statSync(path).isDirectory()) return [path];
  return readdirSync(path, { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath, entry.name))
    .toSorted();
}

function keyOf(names: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of names.flatMap((source) => filesBelow(join(project, source)))) hash.update(`${file}\n`).update(readFileSync(file));
  return hash.digest('hex').slice(0, 16);
}

/** Resolves to the file of a docker archive: kept from an earlier run when no source has changed. Rejects with what buildah said. */
export async function productImage(): Promise<string> {
  const folder = join(cacheFolder(), 'image');
  const file = join(folder, `${keyOf(sources)}.tar`);
  if (existsSync(file)) return file;
  mkdirSync(folder, { recursive: true });
  // Layers are kept: other sources with the same package-lock.json install no package again.
  const storage = join(folder, `layers-${keyOf(['package-lock.json'])}`);
  for (const old of readdirSync(folder)) if (join(folder, old) !== storage) rmSync(join(folder, old), { recursive: true });
  const work = temporaryFolder('transship-image');
  try {
    await build({ work: work.path, storage, file: `${file}.partial` });
    renameSync(`${file}.partial`, file);
  } finally {
    work.remove();
  }
  return file;
}

async function build({ work, storage, file }: { work: string; storage: string; file: string }): Promise<void> {
  const env = { ...process.env, PATH: searchPath, TMPDIR: work };
  // In a mount namespace of its own: storage by overlayfs stays mounted after a command.
  const script = 'mount -n -t tmpfs tmpfs /run && exec "$@"';
  const folders = ['--storage-driver', 'overlay', '--root', storage, '--runroot', join(work, 'runroot')];
  const buildah = (...words: string[]): Promise<unknown> =>
    run(['unshare', '--mount', 'bash', '-c', script, 'alone', 'buildah', ...folders, ...words], env);

  for (const archive of [writeRuntimeBase(work), writeBuildBase(work)]) {
    await buildah('pull', '--quiet', `docker-archive:${archive}`);
    rmSync(archive);
  }
  const cache = npmConfig('cache');
  mkdirSync(cache, { recursive: true });
  const bases = ['--build-arg', `NODE_IMAGE=${buildBase}`, '--build-arg', `RUNTIME_IMAGE=${runtimeBase}`];
  // chroot: the oci isolation makes a network and leaves its rules behind. The volume: npm's cache, so that a second build downloads nothing.
  await buildah(
    'bud',
    '--pull-never',
    '--layers',
    '--isolation',
    'chroot',
    '--volume',
    `${cache}:/npm-cache`,
    ...bases,
    '--tag',
    productName,
    project,
  );
  await buildah('push', '--quiet', productName, `docker-archive:${file}:${productName}`);
}
