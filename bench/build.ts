/** The programs as they are run elsewhere: transship as its Dockerfile makes and starts it, the reference without its types. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, readFile, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Built, Subject } from './subject.ts';

const run = promisify(execFile);
const bundler = import.meta.resolve('esbuild');
const referenceSource = fileURLToPath(new URL('reference-server.ts', import.meta.url));

/** Makes the program as the Dockerfile of the subject does, in a folder of its own. */
export async function build(subject: Subject, folder: string): Promise<Built> {
  await mkdir(folder);
  await Promise.all([
    symlink(join(subject.root, 'node_modules'), join(folder, 'node_modules')),
    copyFile(join(subject.root, 'package.json'), join(folder, 'package.json')),
  ]);
  const settings = await imageSettings(subject);
  // The second is where older revisions have it.
  const own = ['tools/bundle/bundle.ts', 'bundle.ts'].map((file) => join(subject.root, file)).find((file) => existsSync(file));
  if (own !== undefined) {
    await node(own, join(folder, 'dist/bundle'));
    return { ...subject, ...settings, main: join(folder, 'dist/bundle/main.js') };
  }
  // Revisions before there was a bundle.
  await node(
    join(subject.root, 'node_modules/typescript/bin/tsc'),
    '-p',
    join(subject.root, 'tsconfig.build.json'),
    '--outDir',
    join(folder, 'dist'),
  );
  return { ...subject, ...settings, main: join(folder, 'dist/main.js') };
}

/** Those of the Dockerfile but for the permission model and, in older revisions, the cache of compiled code: they name folders of the image. */
async function imageSettings({ root }: Subject): Promise<Pick<Built, 'flags' | 'env'>> {
  const dockerfile = await readFile(join(root, 'Dockerfile'), 'utf8');
  const entrypoint = /^ENTRYPOINT (\[.*\])$/m.exec(dockerfile)?.[1];
  if (entrypoint === undefined) throw new Error(`${root}/Dockerfile has no ENTRYPOINT as a list`);
  const words: readonly string[] = JSON.parse(entrypoint);
  const variables = [...dockerfile.matchAll(/^ENV (.*)$/gm)].flatMap(([, line = '']) => line.split(' ')).map((pair) => pair.split('='));
  return {
    flags: words.filter((word) => word.startsWith('--') && !/^--(?:permission|allow-|disable-warning)/.test(word)),
    env: Object.fromEntries(variables.filter(([name]) => name !== 'NODE_COMPILE_CACHE')),
  };
}

/** @returns the reference server as JavaScript: taking out types at its start costs Node 90 ms and 16 MiB, which are not the server's */
export async function buildReference(folder: string): Promise<string> {
  const file = join(folder, 'reference-server.mjs');
  const options = { entryPoints: [referenceSource], platform: 'node', format: 'esm', outfile: file, logLevel: 'error' };
  await node('--input-type=module', '--eval', `import { build } from ${JSON.stringify(bundler)}; await build(${JSON.stringify(options)});`);
  return file;
}

/** Without what a test runner loads into every process of Node: a compiler cannot be loaded with it. */
async function node(...args: readonly string[]): Promise<void> {
  await run('env', ['--unset=NODE_OPTIONS', process.execPath, ...args]);
}
