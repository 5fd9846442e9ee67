/** A registry on loopback, without TLS: Debian's docker-registry. */
import { spawn } from 'node:child_process';
import { closeSync, existsSync, openSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { eventually } from '../cluster-client/eventually.ts';
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
  const [file, logFile] = [join(folder.path, 'config.yml'), join(folder.path, 'log')];
  const storage = { filesystem: { rootdirectory: join(folder.path, 'data') } };
  // It chooses a port that is free, and writes which.
  writeFileSync(file, JSON.stringify({ version: '0.1', storage, http: { addr: '127.0.0.1:0' }, ...(auth && { auth }) }));
  const log = openSync(logFile, 'a');
  const child = spawn(program, ['serve', file], { stdio: ['ignore', 'ignore', log] });
  closeSync(log);
  t.teardown(() => {
    child.kill('SIGKILL');
    folder.remove();
  });
  const listening = (): string | undefined => /msg="listening on (127\.0\.0\.1:\d+)"/.exec(readFileSync(logFile, 'utf8'))?.[1];
  await eventually('the registry listens', () => {
    if (child.exitCode !== null) throw new Error(`the registry ended with ${child.exitCode}: ${readFileSync(logFile, 'utf8')}`);
    return listening() !== undefined;
  });
  return listening() ?? '';
}
