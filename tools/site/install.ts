/** The packages that build the site, installed when it is built: nobody else needs them. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, mkdtempSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const folder = import.meta.dirname;
const target = join(folder, 'node_modules');
const manifests = ['package.json', 'package-lock.json'];

/** Does nothing where those of the lock file are there. Two processes may install at once: each into a folder of its own. */
export function installPackages(): void {
  const wanted = createHash('sha256')
    .update(readFileSync(join(folder, 'package-lock.json')))
    .digest('hex');
  if (installed() === wanted) return;
  const staged = mkdtempSync(join(folder, 'node_modules.'));
  try {
    for (const name of manifests) cpSync(join(folder, name), join(staged, name));
    // What tap loads into the processes of its tests is not wanted in npm.
    const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
    execFileSync('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], {
      cwd: staged,
      env,
      stdio: ['ignore', 'ignore', 'inherit'],
    });
    writeFileSync(join(staged, 'node_modules/.lock-sha256'), wanted);
    // Another process may have been faster.
    if (installed() === wanted) return;
    rmSync(target, { recursive: true, force: true });
    renameSync(join(staged, 'node_modules'), target);
  } finally {
    rmSync(staged, { recursive: true });
  }
}

/** @returns hash of the lock file that was installed, null for none */
function installed(): string | null {
  const file = join(target, '.lock-sha256');
  return existsSync(file) ? readFileSync(file, 'utf8') : null;
}
