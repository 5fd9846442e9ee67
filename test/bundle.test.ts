/** The program as the image has it, in a folder with nothing else but what the Dockerfile puts beside it. */
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, readdirSync, readFileSync, statSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';

const project = fileURLToPath(new URL('..', import.meta.url));
// What tap loads into every process of Node needs packages, and there are none.
const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;
const root = t.testdir();
const folder = join(root, 'dist/bundle');
const main = join(folder, 'main.js');

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

async function node(args: readonly string[], more: Readonly<Record<string, string>> = {}): Promise<Ended> {
  try {
    return { code: 0, ...(await promisify(execFile)(process.execPath, [...args], { cwd: root, env: { ...env, ...more } })) };
  } catch (error) {
    return error as Ended;
  }
}

t.before(async () => {
  mkdirSync(folder, { recursive: true });
  cpSync(join(project, 'package.json'), join(root, 'package.json'));
  cpSync(join(project, 'examples'), join(root, 'examples'), { recursive: true });
  const { code, stderr } = await node([join(project, 'tools/bundle/bundle.ts'), folder]);
  if (code !== 0) throw new Error(stderr);
});

t.test('few files, and the licences of all that is in them', (tt) => {
  const files = readdirSync(folder);
  tt.ok(files.length < 160, `${files.length} files`);
  const bytes = files.reduce((sum, file) => sum + statSync(join(folder, file)).size, 0);
  tt.ok(bytes < 7e6, `${bytes} bytes`);
  const licences = readFileSync(join(folder, 'LICENSES.txt'), 'utf8');
  const { components }: { components: { group?: string; name: string; version: string }[] } = JSON.parse(
    readFileSync(join(folder, 'sbom.cdx.json'), 'utf8'),
  );
  tt.ok(components.length > 30, `${components.length} packages`);
  for (const { group, name, version } of components)
    tt.match(licences, `=== ${group === undefined ? name : `${group}/${name}`} ${version} (`);
  for (const part of licences.split(/^(?==== )/m)) tt.ok(part.length > 200, `a text: ${part.split('\n')[0]}`);
  tt.end();
});

t.test('the demonstration', async (tt) => {
  const { code, stdout } = await node([main, 'try', '--once', '--port', '0', '--metrics-port', '0']);
  tt.equal(code, 0);
  tt.match(stdout, /quay.io/);
});

t.test('a command', async (tt) => {
  const { stdout } = await node([main, 'explain', '--policy', join(root, 'examples/replicated.yaml'), '-o', 'json', 'quay.io/acme/app:1']);
  tt.match(JSON.parse(stdout), { outcome: 'rewritten' });
});

t.test('the controller brings the client library with it', async (tt) => {
  const kubeconfig = join(root, 'kubeconfig');
  writeFileSync(kubeconfig, 'apiVersion: v1\nkind: Config\ncurrent-context: nowhere\n');
  const { code, stderr } = await node(
    [main, 'controller', '--policy', join(root, 'examples/replicated.yaml'), '--namespace', 'transship'],
    { KUBECONFIG: kubeconfig },
  );
  tt.equal(code, 2, stderr);
  tt.notMatch(stderr, /Cannot find/);
  tt.match(stderr, /kubeconfig/);
});
