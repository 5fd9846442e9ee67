import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';

const root = new URL('../../', import.meta.url);
const page = readFileSync(new URL('docs/reference/webhook.md', root), 'utf8');
const named = (text: string): string[] => [...text.matchAll(/`(test\/[^`]+)`/g)].map((match) => match[1] ?? '');

interface Row {
  readonly rule: string;
  readonly tests: readonly string[];
}

/** The rows of every table whose last column says what shows the rule. */
function rules(): Row[] {
  const tables = page.split('\n\n').filter((block) => /^\|.*\| Shown by \|\n/.test(block));
  return tables.flatMap((table) =>
    table
      .trim()
      .split('\n')
      .slice(2)
      .map((line) => {
        const cells = line.split(/(?<!\\)\|/).slice(1, -1);
        return { rule: cells[0]?.trim() ?? '', tests: named(cells.at(-1) ?? '') };
      }),
  );
}

test('each rule of the contract names a test that is there', (t) => {
  t.ok(rules().length > 40, `${rules().length} rules`);
  for (const { rule, tests } of rules()) {
    t.ok(tests.length > 0, `${rule}: named`);
    for (const file of tests) t.ok(file.endsWith('.test.ts') && existsSync(new URL(file, root)), `${rule}: ${file}`);
  }
  t.end();
});

test('each contract test shows a rule', (t) => {
  const files = readdirSync(new URL('.', import.meta.url)).filter((file) => file.endsWith('.test.ts') && file !== 'reference.test.ts');
  const shown = new Set(rules().flatMap(({ tests }) => tests));
  t.same(
    files.filter((file) => !shown.has(`test/contract/${file}`)),
    [],
  );
  t.end();
});
