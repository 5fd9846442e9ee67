/** Documents that follow from the code: they are written, compared, and are what is in the checkout. */
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { Writable } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { commands } from '../../src/cli/commands.ts';
import { generate, generatedFiles } from '../../tools/docs/generate.ts';
import { withSection } from '../../tools/docs/section.ts';
import { policyReference } from '../../tools/docs/policy-reference.ts';
import type { JsonSchema } from '../../src/config/json-schema.ts';
import { transship } from '../cli/terminal.ts';

const checkout = fileURLToPath(new URL('../../', import.meta.url));

async function run(args: readonly string[], root?: string): Promise<{ readonly code: number; readonly stderr: string }> {
  const errors: string[] = [];
  const stderr = new Writable({
    write: (chunk, _, done) => {
      errors.push(String(chunk));
      done();
    },
  });
  const code = await generate(args, { stderr }, root);
  return { code, stderr: errors.join('') };
}

test('what is in the checkout is what the code says', async (t) => {
  for (const [path, document] of await generatedFiles()) {
    const current = readFileSync(join(checkout, path), 'utf8');
    t.equal(current, document(current), path);
  }
});

test('files are written where they are missing or differ, and --check only names them', async (t) => {
  const root = t.testdir();
  const paths = [...(await generatedFiles()).keys()];
  const missing = await run(['--check'], root);
  t.equal(missing.code, 1);
  for (const path of paths) {
    t.ok(missing.stderr.includes(`${path} differs from what the code says; run npm run generate and commit it\n`));
    t.notOk(existsSync(join(root, path)));
  }
  t.same(await run([], root), { code: 0, stderr: '' });
  t.same(await run(['--check'], root), { code: 0, stderr: '' });
  writeFileSync(join(root, paths[0] ?? ''), 'edited by hand');
  t.equal((await run(['--check'], root)).code, 1);
  t.same(await run([], root), { code: 0, stderr: '' });
  for (const [path, document] of await generatedFiles()) t.equal(readFileSync(join(root, path), 'utf8'), document(null));
});

test('a section of a page is replaced and the rest stays', (t) => {
  const page = withSection('# Title\n\nBefore.\n', 'flags', 'one');
  t.equal(page, '# Title\n\nBefore.\n\n<!-- flags: written by npm run generate -->\n\none\n\n<!-- end of flags -->\n');
  t.equal(withSection(`${page}\nAfter.\n`, 'flags', '$& two'), `${page.replace('one', () => '$& two')}\nAfter.\n`);
  t.end();
});

test('the generator of the chart decides as well', async (t) => {
  const program = 'process.exitCode = process.argv.includes("--check") ? 1 : 0';
  const root = t.testdir({ charts: { 'generate.ts': program } });
  t.equal((await run([], root)).code, 0);
  t.equal((await run(['--check'], root)).code, 1);
});

test('a flag that does not exist is refused', async (t) => {
  t.equal((await run(['--chek'], t.testdir())).code, 2);
  t.match((await run(['now'], t.testdir())).stderr, /unexpected argument "now"/);
});

const rows: readonly { readonly name: string; readonly schema: JsonSchema; readonly row: string }[] = [
  {
    name: 'a default',
    schema: { type: 'string', enum: ['a', 'b'], default: 'a', description: 'Which.' },
    row: '| `key` | `a` or `b` | `"a"` | Which. |',
  },
  {
    name: 'an empty section may be null',
    schema: { anyOf: [{ type: 'array', items: { type: 'string' } }, { type: 'null' }] },
    row: '| `key` | list |  |  |',
  },
  { name: 'a number with bounds', schema: { type: 'integer', minimum: 1, maximum: 9 }, row: '| `key` | integer from 1 to 9 |  |  |' },
  { name: 'a choice of types', schema: { type: ['string', 'null'] }, row: '| `key` | string or null |  |  |' },
  {
    name: 'a constant that is no text',
    schema: { type: 'object', properties: { on: { const: true } } },
    row: '| `key.on` | `true` |  |  |',
  },
  {
    name: "names of one's own",
    schema: { type: 'object', additionalProperties: { type: 'object', properties: { a: { type: 'string' } }, required: ['a'] } },
    row: '| `key.NAME.a` | string | required |  |',
  },
  {
    name: 'a column is not ended by what is in it',
    schema: { type: 'string', description: 'a|b' },
    row: String.raw`| \`key\` | string |  | a\|b |`.replaceAll('\\`', '`'),
  },
];
for (const { name, schema, row } of rows) {
  test(`a row of the reference: ${name}`, async (t) =>
    t.ok(policyReference({ properties: { key: schema } }).includes(`${row}\n`), policyReference({ properties: { key: schema } })));
}

const text: JsonSchema = { type: 'string' };

function alternative(name: string, properties: Record<string, JsonSchema>, required: readonly string[]): JsonSchema {
  return { type: 'object', properties: { as: { const: name, description: `Is ${name}.` }, ...properties }, required: ['as', ...required] };
}

test('alternatives: what belongs to one of them says so', async (t) => {
  const page = policyReference({
    required: ['key'],
    properties: {
      key: {
        oneOf: [
          alternative('one', { all: text, some: text, mixed: text }, ['all', 'some', 'mixed']),
          alternative('two', { all: text, mixed: text }, ['all']),
        ],
      },
    },
  });
  for (const row of [
    '| `key` | map | required |  |',
    '| `key.as` | `one` or `two` | required | `one`: Is one.<br>`two`: Is two. |',
    '| `key.all` | string | required |  |',
    '| `key.some` | string | required | With `as: one`. |',
    '| `key.mixed` | string | required, except with `as: two` |  |',
  ])
    t.ok(page.includes(`${row}\n`), row);
});

test('the page of the command line has every command with its help', async (t) => {
  const page = readFileSync(join(checkout, 'docs/reference/cli.md'), 'utf8');
  for (const load of Object.values(commands)) {
    const { name, help } = await load();
    t.ok(page.includes(`## \`${name}\``), name);
    t.ok(page.includes(help.trimEnd()), name);
  }
});

test('the examples on that page print what they say', async (t) => {
  const page = readFileSync(join(checkout, 'docs/reference/cli.md'), 'utf8');
  const examples = [...page.matchAll(/^```console\n\$ (?:printf '(.*)\\n' \| )?npx transship (.*)\n([^`]*)```$/gm)];
  t.equal(examples.length, 2);
  for (const [, stdin, words, output] of examples) {
    const args = (words ?? '').split(' ').map((word) => (word.startsWith('examples/') ? join(checkout, word) : word));
    t.equal((await transship(args, stdin ?? '')).stdout, output);
  }
});
