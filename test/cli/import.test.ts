/** `import`: a file, a folder, standard input; wrong use. */
import { join } from 'node:path';
import { test } from 'tap';
import { transship } from './terminal.ts';

const hosts = (prefix: string): string => `server = "https://m.example.com/v2/${prefix}"\noverride_path = true\n`;

test('a folder: its files of the format, and no others; the policy has no findings', async (t) => {
  const folder = t.testdir({ 'docker.io': { 'hosts.toml': hosts('hub'), 'ca.crt': '' }, 'quay.io': { 'hosts.toml': hosts('quay') } });
  const { code, stdout, stderr } = await transship(['import', 'containerd', folder]);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /rewrite: \{ registry: m-example-com, as: path, prefix: hub \}[^]*prefix: quay \}/);
  t.same(await transship(['lint', '-'], stdout), {
    code: 0,
    stdout: '',
    stderr: 'standard input: 2 rules, 1 registry, 4 tests passed, 0 warnings\n',
  });
});

test('a file, and standard input', async (t) => {
  const folder = t.testdir({
    'quay.io': { 'hosts.toml': hosts('quay') },
    'registries.yaml': 'mirrors: { quay.io: { endpoint: [m.example.com] } }\n',
  });
  t.match(await transship(['import', 'containerd', join(folder, 'quay.io/hosts.toml')]), { code: 0, stdout: /images: \[quay\.io\]/ });
  t.match(await transship(['import', 'k3s', '-'], 'mirrors: { quay.io: { endpoint: [m.example.com] } }\n'), {
    code: 0,
    stdout: /images: \[quay\.io\]/,
  });
  t.match(await transship(['import', 'k3s', folder]), { code: 0, stdout: /images: \[quay\.io\]/ });
});

test('a mounted ConfigMap: containerd does not read ..data and what it links to, which were taken for hosts', async (t) => {
  const folder = t.testdir({
    '..2026_11_28': { 'docker.io': { 'hosts.toml': hosts('hub') } },
    '..data': t.fixture('symlink', '..2026_11_28'),
    'docker.io': t.fixture('symlink', '..data/docker.io'),
    'gcr.io': { 'ca.crt': '' },
    _default: { 'hosts.toml': 'server = "https://m.example.com"\n' },
    '.git': { 'hosts.toml': '' },
    backup: {},
    loop: t.fixture('symlink', 'loop'),
  });
  const { code, stdout, stderr } = await transship(['import', 'containerd', folder]);
  t.same({ code, stderr }, { code: 0, stderr: '' });
  t.match(stdout, /images: \[docker\.io\][^]*images: \["\*"\], exclude: \[gcr\.io\]/, 'a folder without hosts.toml is not _default');
  const sets = t.testdir({
    '..2026_11_28': { 'a.yaml': 'kind: ImageTagMirrorSet\nspec: { imageTagMirrors: [{ source: quay.io, mirrors: [m.example.com] }] }\n' },
    '..data': t.fixture('symlink', '..2026_11_28'),
    'a.yaml': t.fixture('symlink', '..data/a.yaml'),
    up: t.fixture('symlink', '.'),
  });
  t.match(await transship(['import', 'openshift', sets]), { code: 0, stderr: '', stdout: /images: \[quay\.io\]/ });
});

test('a folder in which a file cannot be read', async (t) => {
  const folder = t.testdir({ 'quay.io': { 'hosts.toml': t.fixture('symlink', 'hosts.toml') }, 'a.io': { 'hosts.toml': '' } });
  t.match(await transship(['import', 'containerd', folder]), {
    code: 2,
    stdout: '',
    stderr: /FILE_UNREADABLE: .*quay\.io\/hosts\.toml cannot be read: too many levels of symbolic links/,
  });
});

test('several files of a format that is one file: the others were passed over', async (t) => {
  const text = 'mirrors: { quay.io: { endpoint: [m.example.com] } }\n';
  const folder = t.testdir({ a: { 'registries.yaml': text }, b: { 'registries.yaml': text } });
  t.match(await transship(['import', 'k3s', folder]), {
    code: 2,
    stdout: '',
    stderr: /has several files of this format.*name one of them/,
  });
});

test('text of the file cannot be more than a comment', async (t) => {
  const { stdout } = await transship(
    ['import', 'k3s', '-'],
    'mirrors: { quay.io: { endpoint: [m.example.com] } }\nconfigs: { "a\\nrules: []": { auth: {} } }\n',
  );
  t.match(stdout, String.raw`# Credentials of a\nrules: [] are not copied`);
});

const wrong: readonly (readonly [what: string, args: readonly string[], stderr: RegExp])[] = [
  ['no format', [], /no format is named; formats are containerd, k3s/],
  ['a wrong format', ['openshit', '-'], /there is no format openshit; did you mean openshift\?/],
  ['no file', ['k3s'], /no file is named; name a file or a folder/],
  ['two files', ['k3s', 'a', 'b'], /unexpected argument "b"; name one file/],
  ['a file that is not there', ['k3s', '/nowhere'], /FILE_UNREADABLE: \/nowhere cannot be read/],
];
for (const [what, args, stderr] of wrong)
  test(`wrong use: ${what}`, async (t) => t.match(await transship(['import', ...args]), { code: 2, stdout: '', stderr }));

test('a folder without a file of the format', async (t) => {
  const folder = t.testdir({ 'a.txt': '' });
  t.match(await transship(['import', 'openshift', folder]), { code: 2, stderr: /no file of .* is of this format; name another folder/ });
});

test('a file that cannot be imported: its place, and exit code 2', async (t) => {
  t.same(await transship(['import', 'k3s', '-'], 'mirror: {}\n'), {
    code: 2,
    stdout: '',
    stderr:
      'transship import: IMPORT_INVALID: standard input cannot be imported; correct what follows\nstandard input:1:9: error: mirror is no key of registries.yaml; it has mirrors and configs\n',
  });
});
