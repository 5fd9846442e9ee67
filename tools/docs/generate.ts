/**
 * Writes the documents that follow from the code: `npm run generate`. With `--check` nothing is written, and a file that differs
 * from what it should say is named and is an error.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { policyJsonSchema } from '../../src/config/json-schema.ts';
import { commandReference } from './command-reference.ts';
import type { Io } from '../../src/cli/command.ts';
import { commands } from '../../src/cli/commands.ts';
import { exitCodeOf } from '../../src/cli/failure.ts';
import { readFlags } from '../../src/cli/read-flags.ts';
import { flagTable } from '../../src/cli/flag-help.ts';
import { controllerFlags } from '../../src/cli/controller-flags.ts';
import { serveFlags } from '../../src/cli/flags.ts';
import { printed } from '../../src/text/printable.ts';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { benchmarkTables, lastResult } from '../../bench/peers/table.ts';
import { doctorReference } from './doctor-reference.ts';
import { errorsReference } from './errors-reference.ts';
import { findingsReference } from './findings-reference.ts';
import { controllerMetricsReference, metricsReference } from './metrics-reference.ts';
import { policyReference } from './policy-reference.ts';
import { withSection } from './section.ts';
import { troubleshooting } from './troubleshooting.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

/** What a file should hold, from what it holds: null where there is none. */
type Document = (current: string | null) => string;

/** By path below the checkout. */
export async function generatedFiles(): Promise<ReadonlyMap<string, Document>> {
  const schema = policyJsonSchema();
  const all = await Promise.all(Object.values(commands).map((load) => load()));
  return new Map<string, Document>([
    ['docs/reference/policy.schema.json', () => `${JSON.stringify(schema, null, 2)}\n`],
    ['docs/reference/policy.md', () => policyReference(schema)],
    ['docs/reference/cli.md', () => commandReference(all)],
    ['docs/reference/errors.md', () => errorsReference()],
    ['docs/reference/findings.md', () => findingsReference()],
    ['docs/reference/metrics.md', (page) => withSection(page, 'metrics', metricsReference())],
    ['docs/reference/doctor.md', (page) => withSection(page, 'checks', doctorReference())],
    [
      'docs/guides/troubleshooting.md',
      (page) => Object.entries(troubleshooting()).reduce((text, [name, table]) => withSection(text, name, table), page ?? ''),
    ],
    ['docs/reference/benchmark.md', (page) => withSection(page, 'peers', benchmarkTables(lastResult()))],
    ['docs/reference/serve.md', (page) => withSection(page, 'flags', flagTable(serveFlags))],
    [
      'docs/reference/controller.md',
      (page) => withSection(withSection(page, 'flags', flagTable(controllerFlags)), 'metrics', controllerMetricsReference()),
    ],
  ]);
}

/**
 * @param root folder of the checkout
 * @returns the exit code: 0 done, 1 a file differs, 2 wrong usage
 */
export async function generate(args: readonly string[], io: Pick<Io, 'stderr'>, root: string = checkout): Promise<number> {
  try {
    const { values, operands } = readFlags({ check: { type: null, text: 'only compare' } }, args, {});
    if (operands[0] !== undefined)
      throw new OperatorError('USAGE', `unexpected argument ${JSON.stringify(operands[0])}`, 'the only flag is --check');
    const outdated = [...(await generatedFiles())].flatMap(([path, document]) => {
      const current = readIfThere(join(root, path));
      const text = document(current);
      return text === current ? [] : [{ path, text }];
    });
    for (const { path, text } of outdated) {
      if (values.check) io.stderr.write(printed`${path} differs from what the code says; run npm run generate and commit it\n`);
      else write(join(root, path), text);
    }
    const chart = generateChart(args, root);
    return values.check && outdated.length > 0 ? 1 : chart;
  } catch (error) {
    return exitCodeOf(error, 'generate', io.stderr);
  }
}

/** The chart's documents follow from its values, and are no business of this folder; the chart is not in every checkout. */
function generateChart(args: readonly string[], root: string): number {
  const program = join(root, 'charts/generate.ts');
  if (!existsSync(program)) return 0;
  return spawnSync(process.execPath, [program, ...args], { stdio: ['ignore', 'inherit', 'inherit'] }).status ?? 1;
}

function readIfThere(path: string): string | null {
  return existsSync(path) ? readFileSync(path, 'utf8') : null;
}

function write(path: string, text: string): void {
  mkdirSync(dirname(path), { recursive: true });
  writeFileSync(path, text);
}

if (import.meta.main) process.exitCode = await generate(process.argv.slice(2), process);
