/** Another revision's sources beside the working tree's, with the same packages, so that both can be measured in one run. */
import { execFile } from 'node:child_process';
import { symlink } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import type { Subject } from './subject.ts';

const run = promisify(execFile);

export const workingTree: Subject = { name: 'working tree', root: fileURLToPath(new URL('..', import.meta.url)).replace(/\/$/, '') };

export interface CheckedOut extends Subject {
  readonly remove: () => Promise<void>;
}

/** @returns its short name; null when git knows no such revision */
export async function commitOf(revision: string): Promise<string | null> {
  return await git('rev-parse', '--short', '--verify', '--end-of-options', `${revision}^{commit}`).catch(() => null);
}

export async function checkOut(commit: string, folder: string): Promise<CheckedOut> {
  const root = join(folder, 'revision');
  await git('worktree', 'add', '--detach', root, commit);
  await symlink(join(workingTree.root, 'node_modules'), join(root, 'node_modules'));
  return { name: commit, root, remove: async () => void (await git('worktree', 'remove', '--force', root)) };
}

async function git(...args: readonly string[]): Promise<string> {
  return (await run('git', ['-C', workingTree.root, ...args])).stdout.trim();
}
