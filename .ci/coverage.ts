/**
 * `node .ci/coverage.ts`: after a test run with `--coverage-report=json-summary`.
 *
 * Fails when lines or branches of `src` are covered by less than 95 %, and when a file was loaded by no test at all: such a file is
 * missing from the report and would not lower any figure.
 */
import { globSync, readFileSync } from 'node:fs';
import { stripTypeScriptTypes } from 'node:module';
import { relative } from 'node:path';

const least = 95;

/** How many of the files with the most uncovered branches are named. */
const named = 10;

interface Count {
  readonly total: number;
  readonly covered: number;
}
type Figures = Readonly<Record<'lines' | 'branches', Count>>;

const summary: Record<string, Figures> = JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8'));
// The report also has what tests load of bench and charts, and its total counts that.
const files = new Map(
  Object.entries(summary)
    .map(([file, figures]) => [relative(process.cwd(), file), figures] as const)
    .filter(([file]) => file.startsWith('src/')),
);
const untested = globSync('src/**/*.ts').filter((file) => !files.has(file) && hasCode(file));
for (const file of untested) process.stdout.write(`no test loads ${file}\n`);

const lines = percentage('lines');
const branches = percentage('branches');
process.stdout.write(`coverage of src: ${lines.toFixed(2)} % of lines, ${branches.toFixed(2)} % of branches, ${files.size} files\n`);
const leastCovered = [...files]
  .map(([file, figures]) => ({ file, missing: figures.branches.total - figures.branches.covered }))
  .toSorted((a, b) => b.missing - a.missing);
process.stdout.write(
  `most branches that no test takes: ${leastCovered
    .slice(0, named)
    .map(({ file, missing }) => `${file} ${missing}`)
    .join(', ')}\n`,
);
if (untested.length > 0 || !(lines >= least) || !(branches >= least)) process.exitCode = 1;

function percentage(kind: 'lines' | 'branches'): number {
  const counts = [...files.values()].map((figures) => figures[kind]);
  return (100 * counts.reduce((sum, count) => sum + count.covered, 0)) / counts.reduce((sum, count) => sum + count.total, 0);
}

/** A file of types alone leaves nothing to run. */
function hasCode(file: string): boolean {
  const code = stripTypeScriptTypes(readFileSync(file, 'utf8'))
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '');
  return code.trim() !== '';
}
