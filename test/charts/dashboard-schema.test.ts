/** The dashboard by the types that Grafana publishes of its dashboards: the compiler checks the very JSON that the chart ships. */
import { spawnSync } from 'node:child_process';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';

const shipped = readFileSync(new URL('../../charts/transship/files/dashboard.json', import.meta.url), 'utf8');
const compiler = fileURLToPath(new URL('../../node_modules/typescript/bin/tsc', import.meta.url));

/** As JSON has it: the values of enums. */
const types = `import type { Dashboard, DataSourceRef, Panel, RowPanel } from '@grafana/schema';
type AsJson<T> = T extends string ? \`\${T}\` : T extends (infer E)[] ? AsJson<E>[] : T extends object ? { [K in keyof T]: AsJson<T[K]> } : T;
`;

const wrong: readonly (readonly [name: string, from: string, to: string])[] = [
  ['a key that Grafana does not have', '"timezone":', '"timeZone":'],
  ['a type of variable that it does not have', '"type": "datasource"', '"type": "data-source"'],
  ['a number for a text', '"uid": "transship"', '"uid": 1'],
  ['a panel without a type', '"type": "timeseries",', ''],
  ['a place that is no number', '"x": 0', '"x": "left"'],
  ['no version of the schema', '"schemaVersion": 39,', ''],
];

/** @returns what the compiler says about it; empty when nothing */
function check(folder: string, name: string, json: string): string {
  const file = join(folder, `${name}.ts`);
  writeFileSync(file, `${types}export const dashboard = ${json.trim()} satisfies AsJson<Dashboard>;\n`);
  const options = ['--noEmit', '--ignoreConfig', '--strict', '--skipLibCheck', '--types', '', '--module', 'nodenext'];
  // Without what tap loads into every process of Node.
  const { stdout, stderr } = spawnSync('env', ['--unset=NODE_OPTIONS', process.execPath, compiler, ...options, file], { encoding: 'utf8' });
  return stdout + stderr;
}

test("the shipped dashboard is one by Grafana's types", (t) => {
  t.equal(check(t.testdir({}), 'shipped', shipped), '');
  t.end();
});

test('the types find what is wrong', (t) => {
  const folder = t.testdir({});
  for (const [index, [name, from, to]] of wrong.entries()) {
    t.ok(shipped.includes(from), from);
    t.match(check(folder, `wrong-${index}`, shipped.replace(from, to)), /error TS2\d{3}: /, name);
  }
  t.end();
});
