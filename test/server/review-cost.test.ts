/** The bound of work. 600,000 annotations once took six times as long as JSON.parse of the same bytes. */
import { execFile } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { test } from 'tap';
import type { Checked } from './review-costs.ts';

const run = promisify(execFile);
const program = fileURLToPath(new URL('review-costs.ts', import.meta.url));
const fuzzer = fileURLToPath(new URL('../fuzz/run.ts', import.meta.url));
// Without what tap loads to measure coverage: it would be measured too.
const plainNode = ['--unset=NODE_OPTIONS', process.execPath];

test('the worst bodies that are known cost at most three times JSON.parse, or as much as their images', async (t) => {
  const { stdout } = await run('env', [...plainNode, program]);
  const checked = stdout
    .trim()
    .split('\n')
    .map((line): Checked => JSON.parse(line));
  t.ok(checked.length > 20, `${checked.length} bodies`);
  for (const { title, isWithin, figures } of checked) t.ok(isWithin, `${title}: ${figures}`);
});

test('the fuzzer finds no dearer one', async (t) => {
  const { stdout } = await run('env', [...plainNode, fuzzer, '--target', 'costs', '--seed', '8', '--executions', '40']);
  t.match(stdout, /^costs, seed 8: 40 executions in \d+ s, no finding$/m);
  const cheap = Number(/(\d+) {2}cheap$/m.exec(stdout)?.[1] ?? 0);
  t.ok(cheap >= 20, `${cheap} of them are no pods of many images`);
});
