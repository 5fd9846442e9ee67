/** The node's registries as their owners use them: change the password, push an image. */
import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { renameSync, writeFileSync } from 'node:fs';

import type { TestNode } from './node.ts';
import { openRegistry, paths, privateRegistry } from './settings.ts';

/** The registry reads its htpasswd file again when that has changed. It knows bcrypt only, which Node's crypto does not have. */
export function setPassword(folder: string, password: string): void {
  const salt = randomBytes(32)
    .toString('base64')
    .replaceAll(/[^A-Za-z0-9]/g, '')
    .padEnd(22, 'a')
    .slice(0, 22);
  const hash = execFileSync('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, `$2y$05$${salt}`], { encoding: 'utf8' });
  if (!hash.startsWith('$2y$')) throw new Error('crypt of this system knows no bcrypt');
  // By a rename: it may read the file at any moment, and takes one with the time of a half for read.
  const file = paths(folder).passwords;
  writeFileSync(`${file}.new`, `${privateRegistry.user}:${hash}\n`);
  renameSync(`${file}.new`, file);
}

/** Pushes the tests' program under the repository and tag, as `team/app:1`. Each push is another image. */
export async function pushPrivate(node: TestNode, repositoryAndTag: string, password: string = privateRegistry.password): Promise<void> {
  const archive = node.archive({ name: 'transship.test/program:1', label: repositoryAndTag });
  const credentials = ['--dest-creds', `${privateRegistry.user}:${password}`];
  await push(node, `docker-archive:${archive}`, [...credentials, `docker://${privateRegistry.address}/${repositoryAndTag}`]);
}

/** Pushes an archive, or the tests' program, to a registry without a password. */
export async function pushOpen(
  node: TestNode,
  repositoryAndTag: string,
  { registry = openRegistry.address, archive }: { registry?: string; archive?: string } = {},
): Promise<void> {
  const file = archive ?? node.archive({ name: 'transship.test/program:1', label: repositoryAndTag });
  await push(node, `docker-archive:${file}`, [`docker://${registry}/${repositoryAndTag}`]);
}

const push = (node: TestNode, source: string, destination: readonly string[]): Promise<unknown> =>
  node.run(['skopeo', 'copy', '--quiet', '--insecure-policy', '--dest-tls-verify=false', source, ...destination]);

/** The Secret of type kubernetes.io/dockerconfigjson that a person makes for the host. */
export async function createPullSecret(
  node: TestNode,
  { name, namespace, host, password = privateRegistry.password }: { name: string; namespace: string; host: string; password?: string },
): Promise<void> {
  const account = [`--docker-server=${host}`, `--docker-username=${privateRegistry.user}`, `--docker-password=${password}`];
  const { stdout } = await node.kubectl([
    'create',
    'secret',
    'docker-registry',
    name,
    '--namespace',
    namespace,
    ...account,
    '--dry-run=client',
    '--output=yaml',
  ]);
  await node.kubectl(['apply', '--filename=-'], { input: stdout });
}

/** Of an image in the open registry. */
export async function digestOf(node: TestNode, repositoryAndTag: string): Promise<string> {
  const image = `docker://${openRegistry.address}/${repositoryAndTag}`;
  return (await node.run(['skopeo', 'inspect', '--tls-verify=false', '--format={{.Digest}}', image])).stdout.trim();
}
