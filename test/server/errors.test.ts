/** The table of errors, and that the reference page has every code of the program with its status. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import t from 'tap';
import { clientError, clientErrors } from '../../src/server/errors.ts';

const sources = fileURLToPath(new URL('../../src/', import.meta.url));
const page = await readFile(new URL('../../docs/reference/errors.md', import.meta.url), 'utf8');

/** Told apart by their callers and never shown: not for a page. */
const internal = new Set(['JSON']);

t.test('codes of answers, with their status', (t) => {
  const rows = [...page.matchAll(/^\| `([A-Z_]+)` \| (\d{3}) \|/gm)].map(([, code, status]) => [code, Number(status)]);
  t.same(Object.fromEntries(rows), Object.fromEntries(Object.entries(clientErrors).map(([code, { status }]) => [code, status])));
  t.end();
});

t.test('codes of thrown errors, found in the sources', async (t) => {
  const files = (await readdir(sources, { recursive: true })).filter((file) => file.endsWith('.ts'));
  const texts = await Promise.all(files.map(async (file) => await readFile(`${sources}/${file}`, 'utf8')));
  const codes = texts.flatMap((text) => [
    ...[...text.matchAll(/readonly code = '([A-Z_]+)'/g)].map((match) => match[1] ?? ''),
    // A union of codes: `export type SomethingErrorCode = | 'A' | 'B';`
    ...[...text.matchAll(/type \w*(?:Error|Failure)Code =([^;]+);/g)].flatMap((match) => [...(match[1] ?? '').matchAll(/'([A-Z_]+)'/g)].map((code) => code[1] ?? '')),
  ]);
  t.ok(codes.length > 15, `${codes.length} found`);
  for (const code of new Set(codes)) if (!internal.has(code)) t.ok(page.includes(`\`${code}\``), code);
});

t.test('the sentence says what was wrong, and then what to do', (t) => {
  t.same(clientError('OVERLOADED', '9 requests are in flight'), { code: 'OVERLOADED', error: '9 requests are in flight; try again in a second' });
  t.end();
});
