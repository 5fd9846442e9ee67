/** Whether this machine can run a node at all, and the sentence to say when it cannot. */
import { accessSync, constants, existsSync, readFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';

import { locate } from '../../cluster/binaries.ts';
import { clusterPrograms, nodePrograms } from '../../cluster/tools.ts';

/** What the packages of packages.txt bring, and what every Linux has. */
const programs = [
  'buildah',
  'conntrack',
  'containerd',
  'containerd-shim-runc-v2',
  'ctr',
  'docker-registry',
  'go',
  'ip',
  'iptables',
  'nsenter',
  'perl',
  'runc',
  'skopeo',
  'tar',
  'unshare',
];

/** Root's PATH may lack the folders of the system's own programs. */
export const searchPath = [process.env['PATH'], '/usr/local/sbin', '/usr/sbin', '/sbin'].filter(Boolean).join(delimiter);

/** Where Debian and others put the CNI plugins. */
const pluginFolders = ['/usr/lib/cni', '/opt/cni/bin', '/usr/libexec/cni'];

/** Folder of the CNI plugins. Throws when there is none. */
export function pluginFolder(): string {
  const folder = pluginFolders.find((candidate) => existsSync(join(candidate, 'bridge')));
  if (folder === undefined) throw new Error(`no CNI plugins in ${pluginFolders.join(', ')}: run .ci/install-node-packages`);
  return folder;
}

function isOnPath(program: string): boolean {
  return searchPath.split(delimiter).some((folder) => {
    try {
      accessSync(join(folder, program), constants.X_OK);
      return true;
    } catch {
      return false;
    }
  });
}

function missing(): string | undefined {
  if (process.platform !== 'linux' || process.arch !== 'x64') return 'a node needs Linux on x64';
  if (process.getuid?.() !== 0) return 'a node needs root, for namespaces and mounts of its own';
  if (!readFileSync('/proc/filesystems', 'utf8').includes('overlay')) return 'a node needs overlayfs in the kernel';
  const absent = programs.filter((program) => !isOnPath(program));
  if (!pluginFolders.some((folder) => existsSync(join(folder, 'bridge')))) absent.push('CNI plugins');
  if (absent.length > 0) return `no ${absent.join(', ')}: run .ci/install-node-packages (Debian)`;
  const unbuilt = [...clusterPrograms, ...nodePrograms].filter((program) => program !== 'kwok' && locate(program) === undefined);
  if (unbuilt.length > 0) return `no ${unbuilt.join(', ')}: run "npm run cluster:build -- --with-node"`;
  return undefined;
}

/** False when a node can run here, else the sentence for tap's `skip`. With TRANSSHIP_REQUIRE_NODE=1, as in CI, it throws instead. */
export function skipReason(): string | false {
  const reason = missing();
  if (reason === undefined) return false;
  if (process.env['TRANSSHIP_REQUIRE_NODE'] === '1') throw new Error(reason);
  return reason;
}
