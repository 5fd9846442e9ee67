/** A registry on loopback, without TLS: Debian's docker-registry. */
import { spawn } from 'node:child_process';
import { existsSync, writeFileSync } from 'node:fs';
import { createServer, type AddressInfo } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';

import { skipWithout } from './binaries.ts';
import { temporaryFolder } from './temporary-folder.ts';

const program = '/usr/bin/docker-registry';

/** False when it can be started, and regctl is there to look into it unless that is not needed; else the sentence for tap's `skip`. */
export function skipWithoutRegistry({ regctl = true }: { regctl?: boolean } = {}): string | false {
  if (existsSync(program)) return regctl && skipWithout('regctl');
  if (process.env['TRANSSHIP_REQUIRE_CLUSTER'] === '1') throw new Error(`${program} is missing: .ci/install-node-packages installs it`);
  return "Debian's docker-registry is not installed";
}

/** What the registry asks clients for. https://distribution.github.io/distribution/about/configuration/#auth */
export type RegistryAuth =
  | { readonly htpasswd: { readonly realm: string; readonly path: string } }
  | { readonly token: { readonly realm: string; readonly service: string; readonly issuer: string; readonly rootcertbundle: string } };

/** Resolves to host and port. The registry ends with the test. */
export async function startRegistry(t: { teardown: (stop: () => void) => void }, auth?: RegistryAuth): Promise<string> {
  const folder = temporaryFolder('transship-registry');
  const port = await freePort();
  const file = join(folder.path, 'config.yml');
  const storage = { filesystem: { rootdirectory: join(folder.path, 'data') } };
  writeFileSync(file, JSON.stringify({ version: '0.1', storage, http: { addr: `127.0.0.1:${port}` }, ...(auth && { auth }) }));
  const child = spawn(program, ['serve', file], { stdio: 'ignore' });
  t.teardown(() => {
    child.kill('SIGKILL');
    folder.remove();
  });
  for (let turn = 0; turn < 200; turn += 1) {
    const answered = await fetch(`http://127.0.0.1:${port}/v2/`).then(
      ({ ok, status }) => ok || status === 401,
      () => false,
    );
    if (answered) return `127.0.0.1:${port}`;
    await sleep(50);
  }
  throw new Error('the registry does not answer');
}

async function freePort(): Promise<number> {
  const server = createServer().listen(0, '127.0.0.1');
  await new Promise((resolve) => void server.once('listening', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => void server.close(resolve));
  return port;
}
