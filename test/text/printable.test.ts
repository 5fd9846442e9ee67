/** Text that is safe to print: for every text, by an oracle that is not our expression. */
import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { escapedJson, joined, jsonText, printable, printed } from '../../src/text/printable.ts';
import { holds } from '../image/property.ts';
import { hostileTexts, unsafeIn } from './hostile.ts';

/** Any UTF-16, lone surrogates too, with more of what matters. */
const anyText = fc
  .array(fc.oneof(fc.string({ unit: 'binary' }), fc.constantFrom(...Object.values(hostileTexts)), fc.integer({ min: 0, max: 0xffff })), {
    maxLength: 8,
  })
  .map((parts) => parts.map((part) => (typeof part === 'number' ? String.fromCharCode(part) : part)).join(''));

holds(
  'nothing unsafe is left in any text, and escaping twice is the same as once',
  fc.property(anyText, (text) => {
    const safe = printable(text);
    assert.deepEqual(unsafeIn(safe, { lines: false }), []);
    assert.equal(printable(safe), safe);
    if (unsafeIn(text, { lines: false }).length === 0) assert.equal(safe, text, 'and what is safe stays');
  }),
  { numRuns: 2000 },
);

holds(
  'JSON stays the same value',
  fc.property(fc.dictionary(anyText, fc.oneof(anyText, fc.double(), fc.array(anyText))), (value) => {
    const text = jsonText(value);
    assert.deepEqual(unsafeIn(text, { lines: false }), []);
    assert.deepEqual(JSON.parse(text), JSON.parse(JSON.stringify(value)));
    const lines = `${JSON.stringify(value, null, 2)}\n`;
    assert.deepEqual(JSON.parse(escapedJson(lines)), JSON.parse(lines));
  }),
  { numRuns: 500 },
);

test('as it is shown', (t) => {
  const table: readonly (readonly [text: string, shown: string])[] = [
    ['a\n::error', String.raw`a\n::error`],
    ['a\r\n\tb', String.raw`a\r\n\tb`],
    ['\u001b[31m', String.raw`\u001b[31m`],
    ['\u202E', String.raw`\u202e`],
    ['\u{e0041}', String.raw`\udb40\udc41`],
    ['\ud800', String.raw`\ud800`],
    ['é €, 漢字, 😀', 'é €, 漢字, 😀'],
    [String.raw`a\nb`, String.raw`a\nb`],
  ];
  for (const [text, shown] of table) t.equal(printable(text), shown);
  t.equal(printed`${'a\nb'}:${1}\n${'c'}`, `${String.raw`a\nb`}:1\nc`);
  t.equal(joined([printed`a`, printed`b`], '\n'), 'a\nb');
  t.end();
});

const sources = fileURLToPath(new URL('../../src/', import.meta.url));

/** The ways around the type, each with its reason. */
const exceptions: Readonly<Record<string, readonly string[]>> = {
  // Colours, help texts, completion scripts and the indentation of a table.
  ownText: ['cli/cli.ts', 'cli/completion.ts', 'cli/explanation.ts', 'cli/output.ts', 'text/printable.ts'],
  // Manifests, for kubectl and Helm, and the configuration of other programs.
  writeData: ['cli/export.ts', 'cli/output.ts', 'cli/rewrite.ts'],
  'as Printable': ['cli/output.ts', 'text/printable.ts'],
  // The streams themselves, which Io narrows to Printable.
  'process\\.std(?:out|err)': ['main.ts'],
  'console\\.': [],
};

test('outputs take Printable only, and the ways around it are these', async (t) => {
  const files = (await readdir(sources, { recursive: true })).filter((file) => file.endsWith('.ts')).toSorted();
  const texts = await Promise.all(files.map(async (file) => await readFile(`${sources}/${file}`, 'utf8')));
  for (const [pattern, allowed] of Object.entries(exceptions))
    t.same(
      files.filter((_, index) => new RegExp(`\\b${pattern}`).test(texts[index] ?? '')),
      allowed,
      pattern,
    );
});
