/** What takes part in a run: transship as its image has it, and the neighbours whose executables are there. */
import { mkdir, readdir, readFile, stat, writeFile } from 'node:fs/promises';
import { createServer } from 'node:net';
import { once } from 'node:events';
import { join } from 'node:path';
import type { Built } from '../subject.ts';
import { peers } from './known.ts';
import { mirror, source, type Launch, type Peer, type Place } from './peer.ts';
import type { Webhook } from './server.ts';

export interface Contender {
  readonly peer: Omit<Peer, 'launch' | 'repository'> & { readonly repository: string | null };
  readonly version: string;
  readonly program: number | null;
  /** Prepares its files. @param folder empty */
  readonly prepare: (folder: string, place: Omit<Place, 'folder' | 'ports'>) => Promise<Webhook>;
}

export interface Missing {
  readonly peer: Peer;
  readonly reason: string;
}

export async function transship(built: Built): Promise<Contender> {
  const bundle = join(built.main, '..');
  const policy = {
    apiVersion: 'transship.dev/v1',
    kind: 'RewritePolicy',
    registries: { proxy: { host: mirror } },
    rules: [{ name: 'vendor', match: { images: [source] }, rewrite: { registry: 'proxy', as: 'fullName' } }],
  };
  const launch = ({ folder, ports: [port, , metrics], certificate }: Place): Launch => ({
    args: [
      ...built.flags,
      built.main,
      'serve',
      '--policy',
      `${folder}/policy.yaml`,
      '--tls-cert',
      certificate.certFile,
      '--tls-key',
      certificate.keyFile,
      '--host',
      '127.0.0.1',
      '--port',
      String(port),
      '--metrics-port',
      String(metrics),
    ],
    files: { 'policy.yaml': JSON.stringify(policy) },
    env: built.env,
  });
  return {
    peer: {
      name: 'transship',
      repository: null,
      path: '/mutate',
      versions: ['v1'],
      differences: ['also writes two annotations: the names as written, and the rule of each'],
    },
    version: 'this checkout',
    program: (await sizeOf(bundle)) + (await stat(process.execPath)).size,
    prepare: async (folder, place) => await prepare({ path: '/mutate', launch }, process.execPath, folder, place),
  };
}

/** @param folder with executables by name, and a file `versions`: a name and a version on each line */
export async function neighbours(folder: string): Promise<{ readonly found: readonly Contender[]; readonly missing: readonly Missing[] }> {
  const found: Contender[] = [];
  const missing: Missing[] = [];
  const lines = (await readFile(join(folder, 'versions'), 'utf8').catch(() => '')).matchAll(/^(\S+)[ \t]+(.+)$/gm);
  const versions = new Map([...lines].map(([, name = '', version = '']) => [name, version]));
  for (const peer of peers) {
    const executable = join(folder, peer.name);
    const file = await stat(executable).catch(() => null);
    if (file === null) missing.push({ peer, reason: 'there is no executable of it in the folder' });
    else {
      found.push({
        peer,
        version: versions.get(peer.name) ?? 'unknown',
        // A script only calls what is installed elsewhere.
        program: (await isScript(executable)) ? null : file.size,
        prepare: async (own, place) => await prepare(peer, executable, own, place),
      });
    }
  }
  return { found, missing };
}

async function prepare(
  { path, launch }: Pick<Peer, 'path' | 'launch'>,
  executable: string,
  folder: string,
  place: Omit<Place, 'folder' | 'ports'>,
): Promise<Webhook> {
  await mkdir(folder, { recursive: true });
  const ports = [await freePort(), await freePort(), await freePort()] as const;
  const { args, env = {}, files = {}, port = ports[0] } = launch({ ...place, folder, ports });
  for (const [name, content] of Object.entries(files)) await writeFile(join(folder, name), content);
  return { command: [executable, ...args], env, port, path, authority: place.certificate.authority };
}

/** Of no use to anybody else for now; the kernel gives the next one to the next who asks. */
async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const address = server.address();
  server.close();
  await once(server, 'close');
  if (address === null || typeof address === 'string') throw new Error('a TCP server has no port');
  return address.port;
}

async function isScript(file: string): Promise<boolean> {
  return (await readFile(file)).subarray(0, 2).toString('latin1') === '#!';
}

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const sizes = await Promise.all(
    entries.filter((entry) => entry.isFile()).map(async (entry) => (await stat(join(entry.parentPath, entry.name))).size),
  );
  return sizes.reduce((sum, size) => sum + size, 0);
}
