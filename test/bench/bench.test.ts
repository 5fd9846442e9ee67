/** That the bench works: tiny runs of its suites. What they measure is nobody's promise here. */
import { execFile } from 'node:child_process';
import { existsSync } from 'node:fs';
import { readFile, realpath } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'tap';
import { summarize } from '../../bench/figure.ts';
import type { Report } from '../../bench/report.ts';
import { podOf, reviewOf } from '../../bench/reviews.ts';
import { readReview, reviewFields } from '../../src/admission/review.ts';

const program = fileURLToPath(new URL('../../bench/bench.ts', import.meta.url));
const root = fileURLToPath(new URL('../..', import.meta.url));

interface Ended {
  readonly stdout: string;
  readonly stderr: string;
  readonly code: unknown;
}

async function bench(args: readonly string[], env: NodeJS.ProcessEnv = {}): Promise<Ended> {
  return await promisify(execFile)(process.execPath, [program, ...args], { cwd: root, env: { ...process.env, ...env } }).then(
    (output) => ({ ...output, code: 0 }),
    (error: { stdout: string; stderr: string; code: unknown }) => error,
  );
}

test('every figure has a reference of the same run', async (t) => {
  const file = `${t.testdir({})}/figures.json`;
  const { stdout, stderr, code } = await bench(['--quick', '--only', 'engine,start,memory', '--reviews', '100', '--json', file]);
  t.equal(code, 0, stderr);
  const report: Report = JSON.parse(await readFile(file, 'utf8'));
  const [subject] = report.subjects;
  t.equal(subject?.name, 'working tree');
  const figures = subject?.figures ?? [];
  t.strictSame([...new Set(figures.map(({ suite }) => suite))], ['engine', 'start', 'memory']);
  for (const figure of figures) {
    t.ok(stdout.includes(figure.name), figure.name);
    // Memory may also shrink, and a difference of nothing has no ratio.
    if (figure.name.startsWith('last quarter') || process.platform !== 'linux') continue;
    t.ok(summarize(figure).ratio > 0, `${figure.name}: ${JSON.stringify(figure.rounds)}`);
  }
});

/** Those below the folder: others come, go and change while this runs. */
async function worktreesIn(folder: string): Promise<string[]> {
  const { stdout } = await promisify(execFile)('git', ['worktree', 'list', '--porcelain'], { cwd: root });
  return stdout.split('\n').filter((line) => line.startsWith(`worktree ${folder}/`));
}

test('against another revision', { skip: existsSync(`${root}/.git`) ? false : 'there is no repository here' }, async (t) => {
  const folder = await realpath(t.testdir({}));
  const { stdout, stderr, code } = await bench(['--quick', '--only', 'start', '--against', 'HEAD'], { TMPDIR: folder });
  t.equal(code, 0, stderr);
  t.match(stdout, /Against [0-9a-f]+:\n\nsuite +figure +ratio at [0-9a-f]+ +ratio now +change/);
  // Two rounds prove nothing, whatever they say.
  t.notMatch(stdout, /%  moved/);
  t.same(await worktreesIn(folder), [], 'nothing is left behind');
});

for (const [name, args, says] of [
  ['a suite that there is not', ['--only', 'engine,speed'], /there is no suite speed/],
  ['too few reviews', ['--reviews', '0'], /--reviews takes/],
  ['a revision that there is not', ['--against', 'nowhere'], /^git knows no revision nowhere$/m],
] as const) {
  test(`wrong use: ${name}`, async (t) => {
    const { stderr, code } = await bench(args);
    t.equal(code, 2);
    t.match(stderr, says);
  });
}

test('reviews have about the size and the images that were asked for', (t) => {
  for (const size of [8_800, 60_000, 400_000]) {
    for (const images of ['matching', 'foreign', 'digest'] as const) {
      const text = reviewOf({ size, images });
      t.ok(Math.abs(text.length / size - 1) < 0.03, `${text.length} of ${size}`);
      const read = readReview(JSON.parse(text), reviewFields([]));
      t.equal(read.ok && read.review.pod.images.length, 3);
    }
  }
  const many = readReview(JSON.parse(reviewOf({ size: 0, containers: 50 })), reviewFields([]));
  t.equal(many.ok && many.review.pod.images.length, 51);
  t.equal(JSON.stringify(podOf({ containers: 4 })).match(/"image"/g)?.length, 5);
  t.end();
});
