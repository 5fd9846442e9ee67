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

interface Figures {
  readonly lines: { readonly pct: number };
  readonly branches: { readonly pct: number };
}

const summary: Record<string, Figures> = JSON.parse(readFileSync('.tap/report/coverage-summary.json', 'utf8'));
const { total, ...files } = summary;
if (total === undefined) throw new Error('the coverage report has no total');
const covered = new Set(Object.keys(files).map((file) => relative(process.cwd(), file)));

const untested = globSync('src/**/*.ts').filter((file) => !covered.has(file) && hasCode(file));
for (const file of untested) process.stdout.write(`no test loads ${file}\n`);
process.stdout.write(`coverage of src: ${total.lines.pct} % of lines, ${total.branches.pct} % of branches, ${covered.size} files\n`);
if (untested.length > 0 || total.lines.pct < least || total.branches.pct < least) process.exitCode = 1;

/** A file of types alone leaves nothing to run. */
function hasCode(file: string): boolean {
  const code = stripTypeScriptTypes(readFileSync(file, 'utf8'))
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/\/\/.*$/gm, '');
  return code.trim() !== '';
}
