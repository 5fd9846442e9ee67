import { test } from 'tap';
import { maxPathLength } from '../../src/image/grammar.ts';
import { canonicalText, familiarName, lastComponent, parseReference, suffix, type Reference } from '../../src/image/reference.ts';
import { badReferences, goodReferences } from './corpus.ts';
import { referenceOf } from './parsed.ts';

test('every good reference has the expected parts', (t) => {
  for (const { text, name, familiar, tag, digest } of goodReferences) {
    const reference = referenceOf(text);
    t.strictSame(
      { text: reference.text, name: reference.name, familiar: familiarName(reference), tag: reference.tag, digest: reference.digest },
      { text, name, familiar, tag, digest },
      text,
    );
  }
  t.end();
});

test('every bad reference is refused with the reason that a reader can act on', (t) => {
  for (const { text, problem } of badReferences) {
    const result = parseReference(text);
    t.equal(result.ok, false, `${JSON.stringify(text)} is refused`);
    if (!result.ok) t.match(result.problem, problem, JSON.stringify(text));
  }
  t.end();
});

test('the written spelling is kept beside the canonical parts', (t) => {
  const table: [string, Partial<Reference>][] = [
    ['nginx:1', { writtenHost: null, writtenName: 'nginx', host: 'docker.io', path: 'library/nginx' }],
    ['library/nginx', { writtenHost: null, writtenName: 'library/nginx', path: 'library/nginx' }],
    [
      'index.docker.io/nginx@sha256:' + 'a'.repeat(64),
      { writtenHost: 'index.docker.io', writtenName: 'index.docker.io/nginx', host: 'docker.io', path: 'library/nginx' },
    ],
    [
      'Quay.IO/acme/app',
      { writtenHost: 'Quay.IO', writtenName: 'Quay.IO/acme/app', host: 'Quay.IO', comparableHost: 'quay.io', path: 'acme/app' },
    ],
    [
      '[2001:DB8::7]:5000/app:1',
      { writtenHost: '[2001:DB8::7]:5000', host: '[2001:DB8::7]:5000', comparableHost: '[2001:db8::7]:5000', path: 'app' },
    ],
  ];
  for (const [text, parts] of table) t.strictSame({ ...referenceOf(text), ...parts }, { ...referenceOf(text) }, text);
  t.end();
});

test('suffix, canonical text and last component', (t) => {
  const digest = `sha256:${'b'.repeat(64)}`;
  const table: [string, string, string, string][] = [
    ['nginx', '', 'docker.io/library/nginx', 'nginx'],
    ['nginx:1.27', ':1.27', 'docker.io/library/nginx:1.27', 'nginx'],
    [`nginx@${digest}`, `@${digest}`, `docker.io/library/nginx@${digest}`, 'nginx'],
    [`quay.io/a/b/c:1@${digest}`, `:1@${digest}`, `quay.io/a/b/c:1@${digest}`, 'c'],
    ['localhost:5000/app', '', 'localhost:5000/app', 'app'],
  ];
  for (const [text, end, canonical, last] of table) {
    const reference = referenceOf(text);
    t.strictSame([suffix(reference), canonicalText(reference), lastComponent(reference)], [end, canonical, last], text);
  }
  t.end();
});

test('the limit on a name counts its path, not its host', (t) => {
  const host = `${'a'.repeat(60)}.example.com`;
  t.equal(parseReference(`${host}/${'p'.repeat(maxPathLength)}`).ok, true);
  t.equal(parseReference(`${host}/${'p'.repeat(maxPathLength + 1)}`).ok, false);
  t.end();
});

test('a long text that almost fits is refused in linear time', (t) => {
  // Nested quantifiers over separators are where such expressions explode; the text limit and the grammar both guard it.
  for (const text of [
    `${'a-'.repeat(511)}!`,
    `${'a/'.repeat(511)}!`,
    `x:${'5'.repeat(1000)}/`,
    `${'a.'.repeat(500)}b/`,
    '['.repeat(1000),
  ]) {
    t.equal(parseReference(text).ok, false, text.slice(0, 12));
  }
  t.end();
});
