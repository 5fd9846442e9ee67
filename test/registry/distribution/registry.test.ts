/** The client against Debian's docker-registry: open, with htpasswd, and with a token server. */
import { test, type Test } from 'tap';
import { parseReference, type Reference } from '../../../src/image/reference.ts';
import { DistributionClient, pingRegistry, type ManifestAnswer } from '../../../src/registry/distribution/client.ts';
import type { PullCredential } from '../../../src/registry/distribution/token.ts';
import { skipWithoutRegistry, startRegistry } from '../../cluster/registry.ts';
import { htpasswdAuth, pushImage, startTokenServer } from './push.ts';

const skip = skipWithoutRegistry({ regctl: false });
const robot: PullCredential = { username: 'robot', password: 'correct:horse' };
const wrong: PullCredential = { username: 'robot', password: 'battery' };

function reference(text: string): Reference {
  const parsed = parseReference(text);
  if (!parsed.ok) throw new Error(parsed.problem);
  return parsed.reference;
}

function client(t: Test): (image: string, credential?: PullCredential) => Promise<ManifestAnswer> {
  const opened = new DistributionClient();
  t.teardown(() => opened.close());
  const { signal } = new AbortController();
  return async (image, credential) => await opened.headManifest(reference(image), { credential: credential ?? null, signal });
}

const refused = (reason: string) => ({ result: 'unauthorized', reason, retryAfter: null }) as const;

test('an open registry', { skip }, async (t) => {
  const registry = await startRegistry(t);
  const digest = await pushImage(registry, 'team/app', '1');
  const head = client(t);
  const present = { result: 'present', digest };
  t.strictSame(await head(`${registry}/team/app:1`), present, 'by tag');
  t.strictSame(await head(`${registry}/team/app@${digest}`), present, 'by digest');
  t.strictSame(await head(`${registry}/team/app:gone@${digest}`), present, 'the digest counts more than the tag');
  t.strictSame(await head(`${registry}/team/app:2`), { result: 'missing' }, 'another tag');
  t.strictSame(await head(`${registry}/team/app`), { result: 'missing' }, 'latest');
  t.strictSame(await head(`${registry}/team/other:1`), { result: 'missing' }, 'another repository');
  t.strictSame(await head(`${registry}/team/app:1`, robot), present, 'credentials that nobody asks for');
  t.strictSame(await pingRegistry(`${registry}/team`, { signal: new AbortController().signal }), { ok: true });
});

test('htpasswd', { skip }, async (t) => {
  const registry = await startRegistry(t, htpasswdAuth(t, robot.username, robot.password));
  const authorization = `Basic ${Buffer.from(`${robot.username}:${robot.password}`).toString('base64')}`;
  const digest = await pushImage(registry, 'team/app', '1', authorization);
  const head = client(t);
  t.strictSame(await head(`${registry}/team/app:1`, robot), { result: 'present', digest });
  t.strictSame(await head(`${registry}/team/app:2`, robot), { result: 'missing' });
  t.strictSame(await head(`${registry}/team/app:1`, wrong), refused(`${registry} answered 401`));
  t.strictSame(await head(`${registry}/team/app:1`), refused(`${registry} answered 401, and no pull secret has an entry for it`));
  t.strictSame(
    await pingRegistry(registry, { signal: new AbortController().signal }),
    { ok: true },
    'a registry that asks for a login answers',
  );
});

test('a token server', { skip }, async (t) => {
  const { auth, server, tokenFor } = await startTokenServer(t, robot.username, robot.password);
  const registry = await startRegistry(t, auth);
  const digest = await pushImage(registry, 'team/app', '1', `Bearer ${tokenFor('team/app')}`);
  await pushImage(registry, 'public/app', '1', `Bearer ${tokenFor('public/app')}`);
  const head = client(t);
  t.strictSame(await head(`${registry}/team/app:1`, robot), { result: 'present', digest });
  const [asked] = server.requests;
  t.equal(asked?.url.search, `?service=registry.test&scope=${encodeURIComponent('repository:team/app:pull')}`);
  t.strictSame(await head(`${registry}/team/app:2`, robot), { result: 'missing' });
  t.equal(server.requests.length, 1, 'one token for both');
  t.strictSame(await head(`${registry}/team/other:1`, robot), { result: 'missing' });
  t.equal(server.requests.length, 2, 'another repository, another token');
  t.strictSame(await head(`${registry}/team/app:1`, wrong), refused(`the token server ${server.host} answered 401`));
  t.strictSame(await head(`${registry}/team/app:1`), refused(`${registry} answered 401`), 'an anonymous token is not enough');
  t.match(await head(`${registry}/public/app:1`), { result: 'present' }, 'an anonymous token is enough');
  t.strictSame(await pingRegistry(registry, { signal: new AbortController().signal }), { ok: true });
});
