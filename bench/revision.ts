/** Another revision's sources beside the working tree's, with the same packages, so that both can be measured in one run. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { copyFile, mkdir, symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Subject } from './subject.ts';

const run = promisify(execFile);

export const workingTree: Subject = { name: 'working tree', root: fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '') };

/** Makes the program as the Dockerfile of the subject does, in a folder of its own. */
export async function build(subject: Subject, folder: string): Promise<Subject> {
  await mkdir(folder);
  await Promise.all([symlink(join(subject.root, 'node_modules'), join(folder, 'node_modules')), copyFile(join(subject.root, 'package.json'), join(folder, 'package.json'))]);
  const bundler = join(subject.root, 'bundle.ts');
  if (existsSync(bundler)) {
    await node(bundler, join(folder, 'dist/bundle'));
    return { ...subject, main: join(folder, 'dist/bundle/main.js') };
  }
  // Revisions before there was a bundle.
  await node(join(subject.root, 'node_modules/typescript/bin/tsc'), '-p', join(subject.root, 'tsconfig.build.json'), '--outDir', join(folder, 'dist'));
  return { ...subject, main: join(folder, 'dist/main.js') };
}

/** Without what a test runner loads into every process of Node: a compiler cannot be loaded with it. */
async function node(...args: readonly string[]): Promise<void> {
  await run('env', ['--unset=NODE_OPTIONS', process.execPath, ...args]);
}

export interface CheckedOut extends Subject {
  readonly remove: () => Promise<void>;
}

/** Throws when git does not know the revision. */
export async function checkOut(revision: string, folder: string): Promise<CheckedOut> {
  const root = join(folder, 'revision');
  const git = async (...args: readonly string[]): Promise<string> => (await run('git', ['-C', workingTree.root, ...args])).stdout.trim();
  const commit = await git('rev-parse', '--short', '--verify', '--end-of-options', `${revision}^{commit}`);
  await git('worktree', 'add', '--detach', root, commit);
  await symlink(join(workingTree.root, 'node_modules'), join(root, 'node_modules'));
  return { name: commit, root, remove: async () => void (await git('worktree', 'remove', '--force', root)) };
}
