/** The policy in force, from files: opened, followed, and never replaced by a bad one. */
import { chmod, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { PolicyError, PolicySource, type Reload } from '../../src/config/source.ts';
import { longestPause, writeInParts } from '../files/in-parts.ts';
import { until } from '../server/until.ts';

const policy = (host: string): string => `apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  local: { hostFrom: { localRegistryHosting: true }, host: "${host}" }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: local, as: path } }
`;

const addressOf = ({ current }: PolicySource): string | null | undefined => current.compiled.registries.get('local')?.address;

test('the first load', async (t) => {
  const folder = t.testdir({
    'policy.yaml': policy('localhost:30500'),
    'bad.yaml': 'kind: x',
    'hosts.yaml': 'local: localhost:31000',
    'bad-hosts.yaml': '[',
  });
  const at = (name: string): string => join(folder, name);
  const { source, findings } = await PolicySource.open({ policy: at('policy.yaml'), resolvedHosts: null });
  t.same(
    findings.filter(({ severity }) => severity === 'error'),
    [],
  );
  t.equal(addressOf(source), 'localhost:30500');
  t.match(source.current.id, /^[0-9a-f]{12}$/);
  const again = (await PolicySource.open({ policy: at('policy.yaml'), resolvedHosts: null })).source;
  t.equal(again.current.id, source.current.id, 'the same content has the same revision, in every replica');
  const resolved = (await PolicySource.open({ policy: at('policy.yaml'), resolvedHosts: at('hosts.yaml') })).source;
  t.equal(addressOf(resolved), 'localhost:31000');
  t.not(resolved.current.id, source.current.id, 'hosts are part of the revision');
  const absent = (await PolicySource.open({ policy: at('policy.yaml'), resolvedHosts: at('none.yaml') })).source;
  t.equal(absent.current.id, source.current.id, 'absent hosts are no hosts');
  await t.rejects(PolicySource.open({ policy: at('policy.yaml'), resolvedHosts: at('bad-hosts.yaml') }), {
    code: 'POLICY_INVALID',
    findings: [{ file: at('bad-hosts.yaml'), severity: 'error' }],
  });
  await t.rejects(PolicySource.open({ policy: at('policy.yaml'), resolvedHosts: folder }), {
    code: 'POLICY_INVALID',
    findings: [{ message: 'the file cannot be read: it is a folder' }],
  });
  await t.rejects(PolicySource.open({ policy: at('bad.yaml'), resolvedHosts: null }), {
    name: 'PolicyError',
    code: 'POLICY_INVALID',
    message: `${at('bad.yaml')} cannot be used`,
  });
  source.close();
});

test('hosts that are in no file decide and have the revision as from a file', async (t) => {
  const folder = t.testdir({ 'policy.yaml': policy('localhost:30500'), 'hosts.yaml': 'local: localhost:31000' });
  const file = join(folder, 'policy.yaml');
  const fromFiles = (await PolicySource.open({ policy: file, resolvedHosts: join(folder, 'hosts.yaml') })).source;
  const { source } = await PolicySource.open({ policy: file, resolvedHosts: null });
  t.teardown(() => source.close());
  const reloads: Reload[] = [];
  source.follow((reload) => reloads.push(reload));
  source.useHosts({ name: 'hosts.yaml of ConfigMap hosts', text: 'local: localhost:31000' });
  t.equal(source.current.id, fromFiles.current.id);
  t.equal(addressOf(source), 'localhost:31000');
  source.useHosts({ name: 'hosts.yaml of ConfigMap hosts', text: 'local: [' });
  t.match(reloads, [{ result: 'loaded' }, { result: 'refused', findings: [{ file: 'hosts.yaml of ConfigMap hosts', line: 1 }] }]);
  t.equal(addressOf(source), 'localhost:31000', 'the last good ones stay');
  source.useHosts({ name: 'hosts.yaml of ConfigMap hosts', text: 'local: localhost:31001' });
  await writeFile(file, policy('localhost:30501'));
  await until('the changed file is loaded', () => reloads.length === 4);
  t.equal(addressOf(source), 'localhost:31001', 'the changed file is loaded with them');
});

const unreadable: readonly (readonly [name: string, path: string, says: RegExp])[] = [
  ['absent', 'none.yaml', /no such file/],
  ['a folder', '.', /it is a folder/],
  ['not text', 'noise.yaml', /it is not UTF-8 text/],
  ['under a file', 'noise.yaml/policy.yaml', /not a directory/],
];

test('files that cannot be read', async (t) => {
  const folder = t.testdir({});
  await writeFile(join(folder, 'noise.yaml'), Buffer.from([0x61, 0xff, 0xfe]));
  for (const [name, path, says] of unreadable) {
    const failure: unknown = await PolicySource.open({ policy: join(folder, path), resolvedHosts: null }).catch((error: unknown) => error);
    t.type(failure, PolicyError, name);
    t.match(failure, { findings: [{ line: 1, column: 1, severity: 'error', message: says }] }, name);
  }
});

test('a file that one may not read', async (t) => {
  const path = join(t.testdir({ 'policy.yaml': policy('localhost:30500') }), 'policy.yaml');
  await chmod(path, 0);
  // Root may read everything, so for this once the process is nobody.
  const isRoot = process.getuid?.() === 0;
  if (isRoot) process.seteuid?.(65_534);
  const failure: unknown = await PolicySource.open({ policy: path, resolvedHosts: null }).catch((error: unknown) => error);
  if (isRoot) process.seteuid?.(0);
  t.match(failure, { code: 'POLICY_INVALID', findings: [{ message: /permission denied/ }] });
});

test('followed', async (t) => {
  const path = join(t.testdir({ 'policy.yaml': policy('localhost:1') }), 'policy.yaml');
  const { source } = await PolicySource.open({ policy: path, resolvedHosts: null });
  const told: Reload[] = [];
  source.follow((reload) => told.push(reload));
  t.teardown(() => source.close());
  const first = source.current;
  // Written at once: an empty file would be told as well.
  const put = async (text: string): Promise<void> => {
    await writeFile(`${path}.new`, text);
    await rename(`${path}.new`, path);
  };

  await put('kind: [');
  await until('it is told', () => told.length === 1);
  t.match(told[0], { result: 'refused', findings: [{ severity: 'error' }] });
  t.equal(source.current, first, 'the very same policy');

  await put(policy('localhost:2'));
  await until('it is told', () => told.length === 2);
  t.match(told[1], { result: 'loaded', revision: { id: source.current.id } });
  t.equal(addressOf(source), 'localhost:2');

  await put(policy('localhost:1'));
  await until('it is told', () => told.length === 3);
  t.equal(source.current.id, first.id, 'a way back is a way back');
});

/** The first part alone is a policy, which leaves images of quay.io as they are. */
const inParts = (host: string): string[] => [
  policy(host),
  '  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: local, as: path } }\n',
];

test('a policy that is written in place, with pauses, is used as a whole alone', async (t) => {
  const path = join(t.testdir({ 'policy.yaml': policy('localhost:1') }), 'policy.yaml');
  const { source } = await PolicySource.open({ policy: path, resolvedHosts: null });
  const rules: number[] = [];
  source.follow((reload) => rules.push(reload.result === 'loaded' ? reload.revision.compiled.rules.length : 0));
  t.teardown(() => source.close());

  let quick = 0;
  for (let port = 2; quick < 4; port++) {
    rules.length = 0;
    const pause = await writeInParts(path, inParts(`localhost:${port}`));
    await until('the whole of it is used', () => rules.at(-1) === 2 && addressOf(source) === `localhost:${port}`);
    // On a busy machine a pause may be longer than it was meant to be.
    if (pause > longestPause) continue;
    quick += 1;
    t.same(rules, [2], `a pause of ${Math.round(pause)} ms`);
  }
});

test('a file that stays half-written is used in the end', async (t) => {
  const path = join(t.testdir({ 'policy.yaml': policy('localhost:1') }), 'policy.yaml');
  const { source } = await PolicySource.open({ policy: path, resolvedHosts: null });
  source.follow(() => {});
  t.teardown(() => source.close());
  const [half = ''] = inParts('localhost:2');
  await writeFile(path, half);
  await until('it is used', () => addressOf(source) === 'localhost:2');
});

test('nothing is reported after close, also when the file was being read', async (t) => {
  const path = join(t.testdir({ 'policy.yaml': policy('localhost:1') }), 'policy.yaml');
  const [{ source }, other] = [
    await PolicySource.open({ policy: path, resolvedHosts: null }),
    await PolicySource.open({ policy: path, resolvedHosts: null }),
  ];
  const told: Reload[] = [];
  source.follow((reload) => told.push(reload));
  let isReloaded = false;
  other.source.follow(() => (isReloaded = true));
  t.teardown(() => other.source.close());
  await writeFile(path, policy('localhost:2'));
  // After the burst has ended, and before the second look.
  await sleep(180);
  source.close();
  const before = told.length;
  await until('somebody else is told', () => isReloaded);
  await sleep(50);
  t.equal(told.length, before);
});
