/** Images of a real registry, and what guards them: as little as a registry takes for an image. */
import { createHash, createPrivateKey, randomUUID, sign } from 'node:crypto';
import { execFileSync } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createCa, issueServing } from '../../../src/tls/certificate.ts';
import type { RegistryAuth } from '../../cluster/registry.ts';
import { temporaryFolder } from '../../cluster/temporary-folder.ts';
import { startLoopback, type Loopback, type Received, type Teardown } from '../loopback.ts';

const manifestType = 'application/vnd.oci.image.manifest.v1+json';
const encode = (value: unknown): string => Buffer.from(JSON.stringify(value)).toString('base64url');
const digestOf = (text: string): string => `sha256:${createHash('sha256').update(text).digest('hex')}`;

/** Pushes an image without layers. @returns the digest of its manifest */
export async function pushImage(registry: string, repository: string, tag: string, authorization?: string): Promise<string> {
  const headers = authorization === undefined ? {} : { authorization };
  const call = async (method: string, path: string, content?: { body: string; type: string }): Promise<Response> => {
    const request = content === undefined ? { headers } : { headers: { ...headers, 'content-type': content.type }, body: content.body };
    const response = await fetch(new URL(path, `http://${registry}`), { method, ...request });
    if (!response.ok) throw new Error(`${method} ${path}: ${response.status} ${await response.text()}`);
    return response;
  };
  const config = JSON.stringify({
    architecture: 'amd64',
    os: 'linux',
    rootfs: { type: 'layers', diff_ids: [] },
    config: { Labels: { tag } },
  });
  const started = await call('POST', `/v2/${repository}/blobs/uploads/`);
  const upload = new URL(started.headers.get('location') ?? '', `http://${registry}`);
  upload.searchParams.set('digest', digestOf(config));
  await call('PUT', `${upload.pathname}${upload.search}`, { body: config, type: 'application/octet-stream' });
  const manifest = JSON.stringify({
    schemaVersion: 2,
    mediaType: manifestType,
    config: { mediaType: 'application/vnd.oci.image.config.v1+json', digest: digestOf(config), size: config.length },
    layers: [],
  });
  await call('PUT', `/v2/${repository}/manifests/${tag}`, { body: manifest, type: manifestType });
  return digestOf(manifest);
}

/** The registry knows bcrypt only, which Node's crypto does not have. */
export function htpasswdAuth(t: Teardown, username: string, password: string): RegistryAuth {
  const folder = temporaryFolder('transship-htpasswd');
  t.teardown(() => folder.remove());
  const path = join(folder.path, 'htpasswd');
  const salt = randomUUID().replaceAll('-', '').slice(0, 22);
  const hash = execFileSync('perl', ['-e', 'print crypt($ARGV[0], $ARGV[1])', password, `$2y$05$${salt}`], { encoding: 'utf8' });
  if (!hash.startsWith('$2y$')) throw new Error('crypt of this system knows no bcrypt');
  writeFileSync(path, `${username}:${hash}\n`);
  return { htpasswd: { realm: 'tests', path } };
}

export interface TokenServer {
  readonly auth: RegistryAuth;
  readonly server: Loopback;
  /** A token with any rights, for pushing. */
  readonly tokenFor: (repository: string) => string;
}

/**
 * A token server as https://distribution.github.io/distribution/spec/auth/token/ has it: gives the user what is asked for, and everybody
 * the repositories below `public/`.
 */
export async function startTokenServer(t: Teardown, username: string, password: string): Promise<TokenServer> {
  const folder = temporaryFolder('transship-token');
  t.teardown(() => folder.remove());
  const authority = await createCa('transship test', { lifetime: 3_600_000 });
  const { cert, key } = await issueServing(authority, ['token.test'], { lifetime: 3_600_000 });
  const rootcertbundle = join(folder.path, 'ca.pem');
  writeFileSync(rootcertbundle, authority.cert);
  const service = 'registry.test';
  const issuer = 'transship test';
  const x5c = [cert.replaceAll(/-----[^-]+-----|\s/g, '')];
  const tokenOf = (access: readonly object[]): string => {
    const seconds = Math.floor(Date.now() / 1000);
    const claims = { iss: issuer, sub: '', aud: service, exp: seconds + 300, nbf: seconds - 10, iat: seconds, jti: randomUUID(), access };
    const content = `${encode({ typ: 'JWT', alg: 'ES256', x5c })}.${encode(claims)}`;
    const signature = sign('sha256', Buffer.from(content), { key: createPrivateKey(key), dsaEncoding: 'ieee-p1363' });
    return `${content}.${signature.toString('base64url')}`;
  };
  const expected = `Basic ${Buffer.from(`${username}:${password}`).toString('base64')}`;
  const server = await startLoopback(t, ({ url, headers }: Received) => {
    const isKnown = headers.authorization === expected;
    if (headers.authorization !== undefined && !isKnown) return { status: 401, body: '{}' };
    const access = url.searchParams.getAll('scope').flatMap((scope) => {
      const [type, name = '', actions = ''] = scope.split(':');
      return isKnown || name.startsWith('public/') ? [{ type, name, actions: actions.split(',') }] : [];
    });
    return { body: JSON.stringify({ token: tokenOf(access), expires_in: 300 }) };
  });
  return {
    auth: { token: { realm: `${server.origin}/token`, service, issuer, rootcertbundle } },
    server,
    tokenFor: (name) => tokenOf([{ type: 'repository', name, actions: ['pull', 'push'] }]),
  };
}
