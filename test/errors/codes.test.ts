/** The table of codes and the program: every code is in use, and every code in use is in the table, and so in docs/reference/errors.md. */
import { readdir, readFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { errorCodes, type CodeEntry, type ErrorCode } from '../../src/errors/codes.ts';
import { OperatorError } from '../../src/errors/operator-error.ts';
import { asOperatorError, unreadableReason } from '../../src/errors/system-error.ts';

const sources = fileURLToPath(new URL('../../src/', import.meta.url));
const files = (await readdir(sources, { recursive: true })).filter((file) => file.endsWith('.ts') && file !== 'errors/codes.ts');
const texts = await Promise.all(files.map(async (file) => await readFile(`${sources}/${file}`, 'utf8')));
const codes = Object.keys(errorCodes) as ErrorCode[];

/** Told apart by their callers and never shown. */
const internal = new Set(['JSON']);

test('every code of the table is one that something throws or answers with', (t) => {
  for (const code of codes)
    t.ok(
      texts.some((text) => text.includes(`'${code}'`) || text.includes(`\`${code}:`)),
      code,
    );
  t.end();
});

test('every code of an error class is in the table', (t) => {
  // What is given to OperatorError is checked by the compiler; this finds other classes with a code of their own.
  const own = texts.flatMap((text) => [...text.matchAll(/readonly code = '([A-Z_]+)'/g)].map(([, code = '']) => code));
  t.ok(own.length > 3, `${own.length} found`);
  t.same(
    own.filter((code) => !internal.has(code) && !Object.hasOwn(errorCodes, code)),
    [],
  );
  t.end();
});

test('sentences of the table', (t) => {
  for (const [code, { when, remedy, status }] of Object.entries<CodeEntry>(errorCodes)) {
    t.match(when, /^[A-Z`].*\.$/, `${code} says when, in a sentence`);
    t.notMatch(remedy, /^[A-Z](?!OST)|\.$/, `${code} has a clause as its remedy`);
    t.notMatch(when + remedy, /\||\n/, 'and fits a row of a table');
    if (status !== undefined) t.ok(status >= 400 && status < 600);
  }
  t.end();
});

test('the message says what is wrong, and then what to do', (t) => {
  const cause = new Error('below');
  const error = new OperatorError('USAGE', 'unknown flag --polcy', 'did you mean --policy?', { cause });
  t.match(error, { message: 'unknown flag --polcy; did you mean --policy?', problem: 'unknown flag --polcy', cause, findings: [] });
  t.equal(new OperatorError('USAGE', 'no').message, `no; ${errorCodes.USAGE.remedy}`, 'the remedy of the code');
  t.equal(new OperatorError('KUBERNETES_API_ERROR', 'GET /x: 503').message, 'GET /x: 503', 'or none');
  t.end();
});

const system = (code: string, syscall: string): Error => Object.assign(new Error(`${syscall} ${code}: said by Node`), { code, syscall });

const translated: readonly (readonly [error: unknown, code: string | null, says?: RegExp])[] = [
  [system('EADDRINUSE', 'listen'), 'ADDRESS_UNAVAILABLE', /listen EADDRINUSE: said by Node; another program has that port/],
  [system('EACCES', 'listen'), 'ADDRESS_UNAVAILABLE', /ports below 1024/],
  [system('EADDRNOTAVAIL', 'listen'), 'ADDRESS_UNAVAILABLE', /--host/],
  [system('ENOSPC', 'write'), 'OUTPUT_FAILED', /free disk space/],
  [system('ENOSPC', 'open'), null],
  [new OperatorError('USAGE', 'x'), 'USAGE'],
  [new TypeError('x is undefined'), null],
  ['text', null],
  [undefined, null],
];

test('errors of the operating system', (t) => {
  for (const [error, code, says = /./] of translated) {
    const known = asOperatorError(error);
    t.equal(known?.code ?? null, code, String(error));
    if (known !== null) t.match(known.message, says);
  }
  t.end();
});

const reasons: readonly (readonly [message: string, code: string | undefined, reason: string])[] = [
  ["ENOENT: no such file or directory, open 'a'", 'ENOENT', 'no such file'],
  ["ENAMETOOLONG: name too long, open 'aaa'", 'ENAMETOOLONG', 'name too long'],
  ['The encoded data was not valid for encoding utf-8', 'ERR_ENCODING_INVALID_ENCODED_DATA', 'it is not UTF-8 text'],
  ['something else.\nand more', undefined, 'something else'],
];

test('why a file cannot be read', (t) => {
  for (const [message, code, reason] of reasons)
    t.equal(unreadableReason(Object.assign(new Error(message), code === undefined ? {} : { code })), reason);
  t.end();
});
