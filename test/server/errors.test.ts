/** The table of errors, and that the reference page has every code of the program with its status. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { clientError, clientErrors } from '../../src/server/errors.ts';

const sources = fileURLToPath(new URL('../../src/', import.meta.url));
const page = await readFile(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');

/** Told apart by their callers and never shown: not for a page. */
const internal = new Set(['JSON']);

test('codes of answers, with their status', (t) => {
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [code, Number(status)]);
  t.same(Object.fromEntries(rows), Object.fromEntries(Object.entries(clientErrors).map(([code, { status }]) => [code, status])));
  t.end();
});

test('codes of thrown errors, found in the sources', async (t) => {
  const files = (await readdir(sources, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(files.map(async (file) => await readFile(`${sources}/${file}`, 'utf8')));
  // A class with one code, and a union of codes: `type SomethingErrorCode = | 'A' | 'B';`
  const declarations = [...texts.join('\n').matchAll(/readonly code = '[A-Z_]+'|type \w*(?:Error|Failure)Code =[^;]+;/g)].map(
    ([text]) => text,
  );
  const codes = [...declarations.join('\n').matchAll(/'([A-Z_]+)'/g)].map(([, code = '']) => code);
  t.ok(codes.length > 15, `${codes.length} found`);
  for (const code of new Set(codes)) if (!internal.has(code)) t.ok(page.includes(`\`${code}\``), code);
});

test('the sentence says what was wrong, and then what to do', (t) => {
  t.same(clientError('OVERLOADED', '9 requests are in flight'), {
    code: 'OVERLOADED',
    error: '9 requests are in flight; try again in a second',
  });
  t.end();
});
