/**
 * `node .ci/summary.ts FILE`: the closing line of the gate, counted from the raw TAP of the test run.
 *
 * Fails when an assertion failed, when one was skipped or left to do, and when there was none at all.
 */
import { readFileSync } from 'node:fs';
import { Parser, type FinalResults } from 'tap-parser';

const [file] = process.argv.slice(2);
if (file === undefined) throw new Error('usage: node .ci/summary.ts FILE');

const results = await new Promise<FinalResults>((resolve) => {
  const parser = new Parser({ flat: true }, resolve);
  parser.end(readFileSync(file, 'utf8'));
});

for (const { fullname, name } of results.failures) process.stdout.write(`failed: ${fullname ?? ''} ${name ?? ''}\n`);
for (const { fullname, name, skip } of results.skips) process.stdout.write(`skipped: ${fullname ?? ''} ${name}: ${skip}\n`);
const failed = results.fail + results.skip + results.todo + (results.count === 0 ? 1 : 0);
process.stdout.write(`${results.pass} passed, ${failed} failed\n`);
process.exitCode = failed === 0 && results.ok ? 0 : 1;
