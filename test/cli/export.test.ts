/** `export`: one text or files of a folder, what is refused, and `--check`. */
import { readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { transship } from './terminal.ts';

const policy = (rules: string): string => `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: registry.example.com } }
rules:
${rules}`;
const hub = '  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path, prefix: hub } }\n';
const quay = '  - { name: quay, match: { images: [quay.io] }, rewrite: { registry: mirror, as: path, prefix: quay } }\n';
const part = '  - { name: part, match: { images: [ghcr.io/acme] }, rewrite: { registry: mirror, as: path, prefix: x } }\n';

const server = (name: string): string => JSON.stringify(`server = "https://registry.example.com/v2/${name}"`);

test('one file is its text, several are told apart, and the bytes are the same each time', async (t) => {
  const folder = t.testdir({ 'one.yaml': policy(hub), 'two.yaml': policy(hub + quay) });
  const one = await transship(['export', 'containerd', '--policy', join(folder, 'one.yaml')]);
  t.match(one, { code: 0, stdout: /^# Written by transship export containerd\..*\n# rule hub: /, stderr: '' });
  t.equal(one.stdout.includes('---'), false);
  const two = await transship(['export', 'containerd', '--policy', join(folder, 'two.yaml')]);
  t.match(two.stdout, /^# --- docker\.io\/hosts\.toml\n[^]*\n\n# --- quay\.io\/hosts\.toml\n/);
  t.strictSame(await transship(['export', 'containerd', '--policy', join(folder, 'two.yaml')]), two);
});

test('what cannot be expressed is an error with its place, and nothing is written; --partial writes the rest', async (t) => {
  const folder = t.testdir({ 'policy.yaml': policy(hub + part) });
  const path = join(folder, 'policy.yaml');
  const out = join(folder, 'out');
  const refusal = 'rule part: ghcr.io/acme: containerd has one mirror for a whole host, and this is a part of one';
  t.same(await transship(['export', 'containerd', '--policy', path, '--output-dir', out]), {
    code: 1,
    stdout: '',
    stderr: `${path}:6:37: error: ${refusal}\ntransship export: containerd cannot express all of it; --partial exports the rest\n`,
  });
  t.throws(() => readFileSync(out));
  const partial = await transship(['export', 'containerd', '--policy', path, '--partial']);
  t.match(partial, { code: 0, stdout: /# rule hub: /, stderr: `${path}:6:37: warning: ${refusal}\n` });
});

test('a policy of which nothing can be expressed is a failure with --partial too: it once replaced the last export by nothing', async (t) => {
  const folder = t.testdir({ 'policy.yaml': policy(part), out: { 'kept.toml': 'kept' } });
  const path = join(folder, 'policy.yaml');
  t.match(await transship(['export', 'containerd', '--policy', path, '--partial', '--output-dir', join(folder, 'out')]), { code: 1 });
  t.equal(readFileSync(join(folder, 'out/kept.toml'), 'utf8'), 'kept');
  t.match(await transship(['export', 'containerd', '--policy', path, '--partial']), {
    code: 1,
    stdout: '',
    stderr: /transship export: the policy has nothing that containerd can express\n$/,
  });
});

test('--output-dir writes the files, and --check compares them', async (t) => {
  const folder = t.testdir({ 'policy.yaml': policy(hub + quay) });
  const path = join(folder, 'policy.yaml');
  const out = join(folder, 'certs.d');
  const run = (...args: string[]) => transship(['export', 'containerd', '--policy', path, ...args]);
  t.same(await run('--output-dir', out), { code: 0, stdout: '', stderr: `2 files written to ${out}\n` });
  t.same(await run('--check', out), { code: 0, stdout: '', stderr: '' });
  const file = join(out, 'quay.io/hosts.toml');
  writeFileSync(file, readFileSync(file, 'utf8').replace('v2/quay', 'v2/key'));
  t.same(await run('--check', out), { code: 1, stdout: `${file}:4: ${server('key')} should be ${server('quay')}\n`, stderr: '' });
  rmSync(file);
  t.same(await run('--check', out), { code: 1, stdout: `${file}: missing\n`, stderr: '' });
  writeFileSync(path, policy(quay));
  const old = join(out, 'docker.io/hosts.toml');
  t.same(await run('--output-dir', out), {
    code: 0,
    stdout: '',
    stderr: `1 file written to ${out}\n${old} is not exported any more; remove it\n`,
  });
  t.same(await run('--check', out), { code: 1, stdout: `${old}: not exported any more; remove it\n`, stderr: '' });
  const text = join(folder, 'text');
  writeFileSync(text, (await run()).stdout);
  t.same(await run('--check', text), { code: 0, stdout: '', stderr: '' });
  writeFileSync(text, `${(await run()).stdout}more\n`);
  t.same(await run('--check', text), { code: 1, stdout: `${text}:11: "more" should be ""\n`, stderr: '' });
});

test('a file of somebody else is not overwritten, and is none of ours', async (t) => {
  const folder = t.testdir({
    'policy.yaml': policy(hub),
    out: { 'docker.io': { 'hosts.toml': 'server = "https://x"\n' }, 'gcr.io': { 'hosts.toml': '' } },
  });
  const file = join(folder, 'out/docker.io/hosts.toml');
  t.match(await transship(['export', 'containerd', '--policy', join(folder, 'policy.yaml'), '--output-dir', join(folder, 'out')]), {
    code: 2,
    stderr: `transship export: USAGE: ${file} was not written by transship export; move it away, or name another folder\n`,
  });
  t.equal(readFileSync(file, 'utf8'), 'server = "https://x"\n');
});

const wrong: readonly (readonly [what: string, args: readonly string[], stderr: RegExp])[] = [
  ['no format', [], /no format is named; formats are admission-policy, kyverno/],
  ['a wrong format', ['contanerd'], /there is no format contanerd; did you mean containerd\?/],
  ['two formats', ['containerd', 'x'], /unexpected argument "x"; name one format/],
  ['a flag that is none', ['containerd', '--out', 'x'], /unknown flag --out; /],
  [
    'both of what exclude each other',
    ['containerd', '--check', 'x', '--output-dir', 'y'],
    /--check with --output-dir; --check PATH alone compares/,
  ],
  ['nothing to compare with', ['containerd', '--check', '/nowhere'], /FILE_UNREADABLE: \/nowhere cannot be read/],
];
for (const [what, args, stderr] of wrong)
  test(`wrong use: ${what}`, async (t) => {
    const path = join(t.testdir({ 'policy.yaml': policy(hub) }), 'policy.yaml');
    t.match(await transship(['export', ...args, '--policy', path]), { code: 2, stdout: '', stderr });
  });
