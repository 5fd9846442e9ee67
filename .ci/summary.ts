/**
 * `node .ci/summary.ts FILE…`: the closing line of the gate, counted from the raw TAP of the test runs.
 *
 * Only assertions count, not the line that sums up a test. A skipped one counts as failed, and so does a run that failed without a
 * failed assertion (a time-out, a crash) or that had none at all.
 */
import { readFileSync } from 'node:fs';
import { Parser, type FinalResults, type Result } from 'tap-parser';

const counts = { passed: 0, failed: 0 };

for (const file of process.argv.slice(2)) {
  const before = counts.passed + counts.failed;
  const failedBefore = counts.failed;
  const { ok } = await read(file);
  const isSilent = counts.passed + counts.failed === before;
  const failsAlone = !ok && counts.failed === failedBefore;
  if (isSilent || failsAlone) {
    counts.failed += 1;
    process.stdout.write(`failed: ${file} ${isSilent ? 'holds no assertion' : 'ended badly without a failed assertion'}\n`);
  }
}
if (process.argv.length < 3) counts.failed += 1;
process.stdout.write(`${counts.passed} passed, ${counts.failed} failed\n`);
process.exitCode = counts.failed === 0 ? 0 : 1;

async function read(file: string): Promise<FinalResults> {
  return await new Promise((resolve) => {
    const parser = new Parser(resolve);
    countAssertions(parser);
    parser.end(readFileSync(file, 'utf8'));
  });
}

function countAssertions(parser: Parser): void {
  parser.on('child', countAssertions);
  parser.on('assert', (result: Result) => {
    if (result.closingTestPoint) return;
    if (result.ok && !result.skip && !result.todo) {
      counts.passed += 1;
      return;
    }
    counts.failed += 1;
    const kind = result.skip ? `skipped (${result.skip})` : result.todo ? 'to do' : 'failed';
    process.stdout.write(`${kind}: ${parser.fullname} ${result.name}\n`);
  });
}
