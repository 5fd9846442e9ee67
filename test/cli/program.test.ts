/** The program itself: exit codes, pipes, and what a shell sees. */
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { closeSync, existsSync, openSync } from 'node:fs';
import { text } from 'node:stream/consumers';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { policy } from './terminal.ts';

const main = fileURLToPath(new URL('../../src/main.ts', import.meta.url));
const policies = ['--policy', policy];

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function start(args: readonly string[]) {
  return spawn(process.execPath, [main, ...args], { stdio: ['pipe', 'pipe', 'pipe'] });
}

async function transship(args: readonly string[], stdin = ''): Promise<Ended> {
  const child = start(args);
  // It may end before it has read everything.
  child.stdin.on('error', () => {});
  child.stdin.end(stdin);
  const ended = once(child, 'close');
  const [stdout, stderr] = await Promise.all([text(child.stdout), text(child.stderr)]);
  await ended;
  return { code: child.exitCode, stdout, stderr };
}

const cases: readonly {
  readonly args: readonly string[];
  readonly stdin?: string;
  readonly code: number;
  readonly stdout?: RegExp;
  readonly stderr?: RegExp;
}[] = [
  { args: [], code: 2, stderr: /^Usage: transship COMMAND/m },
  { args: ['--help'], code: 0, stdout: /^ {2}explain {2,}\S/m },
  { args: ['-h'], code: 0, stdout: /^Usage: transship COMMAND/m },
  { args: ['help'], code: 0, stdout: /^Usage: transship COMMAND/m },
  { args: ['help', 'lint'], code: 0, stdout: /^transship lint / },
  { args: ['help', 'lnt'], code: 2, stderr: /did you mean lint\?/ },
  { args: ['--version'], code: 0, stdout: /^\d+\.\d+\.\d+\n$/ },
  { args: ['version'], code: 0, stdout: /^\d+\.\d+\.\d+\n$/ },
  { args: ['explian'], code: 2, stderr: /^transship: unknown command explian; did you mean explain\?\n$/ },
  {
    args: ['teapot'],
    code: 2,
    stderr:
      /^transship: unknown command teapot; commands are .*\bexplain, rewrite, lint, init, diff, images, export, import, scan, why, doctor, completion\n$/,
  },
  { args: ['__proto__'], code: 2, stderr: /unknown command __proto__/ },
  { args: ['explain', '--help'], code: 0, stdout: /^transship explain --policy FILE/ },
  { args: ['explain', ...policies, '--', '--help'], code: 0, stdout: /^invalid .*--help$/m },
  { args: ['explain', ...policies, '-o', 'json', 'nginx'], code: 0, stdout: /^\{"image":"nginx",.*\}\n$/ },
  { args: ['explain', ...policies, '-'], stdin: 'nginx', code: 0, stdout: /localhost:30500\/library\/nginx/ },
  {
    args: ['rewrite', ...policies],
    stdin: 'kind: Pod\nspec: {containers: [{image: nginx}]}\n',
    code: 0,
    stdout: /image: localhost:30500\/library\/nginx/,
  },
  { args: ['lint', policy], code: 0, stderr: /7 rules, 3 registries, 0 tests passed, \d+ warnings?\n$/ },
  { args: ['images', ...policies, 'nginx'], code: 0, stdout: /^docker\.io\/library\/nginx {2}localhost:30500\/library\/nginx\n$/ },
];

for (const { args, stdin, code, stdout, stderr } of cases) {
  test(`transship ${args.map((word) => word.replace(policy, 'FILE')).join(' ')}`, async (t) => {
    const ended = await transship(args, stdin);
    t.equal(ended.code, code);
    t.match(ended.stdout, stdout ?? /^$/);
    t.match(ended.stderr, stderr ?? /^$/);
  });
}

test('a reader that has seen enough is no failure', async (t) => {
  const child = start(['explain', ...policies, '-']);
  child.stdin.on('error', () => {});
  const errors = text(child.stderr);
  child.stdin.write('nginx\n');
  await once(child.stdout, 'data');
  child.stdout.destroy();
  // More than a pipe holds, so that the next answers cannot disappear in a buffer.
  child.stdin.end('nginx\n'.repeat(50_000));
  await once(child, 'close');
  t.equal(child.exitCode, 0);
  t.equal(await errors, '');
});

const full = '/dev/full';

test(
  'output that cannot be written is one clear line and exit code 2: it was a stack and 1',
  { skip: !existsSync(full) && full },
  async (t) => {
    const file = openSync(full, 'w');
    t.teardown(() => closeSync(file));
    const pod = 'kind: Pod\nspec: {containers: [{image: nginx}]}\n';
    for (const [args, stdin] of [
      [['explain', ...policies, 'nginx'], ''],
      [['rewrite', ...policies], pod],
      [['images', ...policies, 'nginx'], ''],
      [['lint', '-'], 'kind: RewritePolicy\n'],
      [['--help'], ''],
      [['version'], ''],
    ] as const) {
      const child = spawn(process.execPath, [main, ...args], { stdio: ['pipe', file, 'pipe'] });
      child.stdin?.on('error', () => {});
      child.stdin?.end(stdin);
      const stderr = text(child.stderr!);
      await once(child, 'close');
      t.equal(child.exitCode, 2, args.join(' '));
      t.match(
        await stderr,
        /^(?:standard input: .*\n)?transship: OUTPUT_FAILED: ENOSPC: no space left on device, write; free disk space for the output\n$/,
      );
    }
    const mute = spawn(process.execPath, [main, 'explain'], { stdio: ['ignore', file, file] });
    await once(mute, 'close');
    t.equal(mute.exitCode, 2, 'messages too');
  },
);

test('images on standard input are answered line by line', async (t) => {
  const child = start(['explain', ...policies, '-o', 'json', '-']);
  for (const image of ['nginx', 'quay.io/acme/app:1', 'é']) {
    const answer = once(child.stdout, 'data');
    child.stdin.write(`${image}\n`);
    const [line] = await answer;
    t.equal(JSON.parse(String(line)).image, image);
  }
  child.stdin.end();
  await once(child, 'close');
  t.equal(child.exitCode, 0);
});

test('ten thousand images are ten thousand lines', async (t) => {
  const images = Array.from({ length: 10_000 }, (_, index) => `quay.io/acme/app-${index}:1`);
  const { code, stdout } = await transship(['explain', ...policies, '-o', 'json', '-'], images.join('\n'));
  t.equal(code, 0);
  t.same(
    stdout
      .trimEnd()
      .split('\n')
      .map((line) => JSON.parse(line).image),
    images,
  );
});
