/** Writes what follows from the comments of values.yaml: its JSON Schema and its documents. `--check` compares instead, for CI. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

import { policyJsonSchema } from '../src/config/json-schema.ts';
import { withSection } from '../tools/docs/section.ts';
import { alertsTable } from './generator/alerts.ts';
import { dashboard } from './generator/dashboard.ts';
import { valuesSchema } from './generator/schema.ts';
import { valuesTables } from './generator/table.ts';
import { readValues, type Value } from './generator/values.ts';

const root = new URL('../', import.meta.url);
const marks = { begin: '<!-- values: written by charts/generate.ts -->', end: '<!-- end of values -->' } as const;

export interface GeneratedFile {
  /** From the root of the checkout. */
  readonly path: string;
  readonly text: string;
}

const read = (path: string): string => readFileSync(new URL(path, root), 'utf8');

export function generatedFiles(): GeneratedFile[] {
  const values = readValues(read('charts/transship/values.yaml'));
  return [
    {
      path: 'charts/transship/values.schema.json',
      text: `${JSON.stringify(valuesSchema(values, { policy: inlinePolicySchema() }), undefined, 2)}\n`,
    },
    { path: 'charts/transship/README.md', text: betweenMarks(read('charts/transship/README.md'), valuesTables(values, '###')) },
    { path: 'docs/reference/values.md', text: valuesPage(values) },
    { path: 'charts/transship/files/dashboard.json', text: `${JSON.stringify(dashboard(), undefined, 2)}\n` },
    {
      path: 'docs/guides/monitoring.md',
      text: withSection(
        read('docs/guides/monitoring.md'),
        'alerts',
        alertsTable(['webhook', 'controller', 'admission-policy'].map(ruleFile)),
      ),
    },
  ];
}

const ruleFile = (name: string): string => read(`charts/transship/files/alerts/${name}.yaml`);

/** The policy's schema as it is for an object in the values, where the chart adds `apiVersion` and `kind`. */
function inlinePolicySchema(): Record<string, unknown> {
  const { $schema: _, required: __, ...schema } = policyJsonSchema();
  return schema;
}

/** Those whose text on disk is another one. */
export const outdatedFiles = (): GeneratedFile[] =>
  generatedFiles().filter(({ path, text }) => !existsSync(new URL(path, root)) || read(path) !== text);

function betweenMarks(text: string, inner: string): string {
  const [head, rest] = text.split(marks.begin);
  const tail = rest?.split(marks.end)[1];
  if (tail === undefined)
    throw new Error(`charts/transship/README.md needs the lines ${marks.begin} and ${marks.end}: the table goes between them`);
  return `${head}${marks.begin}\n${inner}\n${marks.end}${tail}`;
}

const valuesPage = (values: readonly Value[]): string => `# Values of the chart

<!-- Written by charts/generate.ts from the comments of charts/transship/values.yaml: change those. -->

Every value of \`charts/transship\`. Helm refuses a value that is not listed here, and values that contradict each other stop the render with a
sentence that says which. How to install: [guide](../guides/install.md).

${valuesTables(values, '##')}`;

function main(): void {
  const { values: options } = parseArgs({ options: { check: { type: 'boolean', default: false } } });
  const outdated = outdatedFiles();
  if (!options.check) {
    for (const { path, text } of outdated) writeFileSync(new URL(path, root), text);
    return;
  }
  for (const { path } of outdated) console.error(`${path} differs from what values.yaml says: run "node charts/generate.ts" and commit it`);
  if (outdated.length > 0) process.exitCode = 1;
}

if (process.argv[1] === fileURLToPath(import.meta.url)) main();
