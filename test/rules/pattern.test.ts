import { test } from 'tap';
import type { PatternSource } from '../../src/policy/types.ts';
import { matchPattern, parsePattern } from '../../src/rules/pattern.ts';
import { referenceOf } from '../image/parsed.ts';
import { patternOf } from './parsed-pattern.ts';

const digest = `sha256:${'0a'.repeat(32)}`;

/** What follows the matched part, null where the pattern does not match. */
type Row = readonly [pattern: PatternSource, image: string, remainder: string | null];

const hosts: Row[] = [
  ['docker.io', 'nginx', 'library/nginx'],
  ['docker.io', 'index.docker.io/bitnami/redis:7', 'bitnami/redis'],
  ['index.docker.io', 'nginx', 'library/nginx'],
  ['Docker.IO', 'docker.io/nginx', 'library/nginx'],
  ['docker.io', 'docker.io:443/nginx', null],
  ['quay.io', 'Quay.IO/acme/app', 'acme/app'],
  ['QUAY.io', 'quay.io/acme/app', 'acme/app'],
  ['myreg.com', 'myreg.com.evil.io/app', null],
  ['myreg.com', 'evil.myreg.com/app', null],
  ['myreg.com', 'myreg.com:5000/app', null],
  ['myreg.com:5000', 'myreg.com:5000/app', 'app'],
  ['myreg.com:5000', 'myreg.com/app', null],
  ['myreg.com:*', 'myreg.com:5000/app', 'app'],
  ['myreg.com:*', 'myreg.com/app', 'app'],
  ['myreg.com:*', 'myreg.com.evil.io:5000/app', null],
  ['myreg.com:*/team', 'myreg.com:8443/team/app', 'app'],
  ['localhost', 'localhost:5000/app', null],
  ['mirror:80', 'mirror:80/app', 'app'],
  ['mirror:*', 'mirror:5000/app', 'app'],
  ['localhost:*', 'localhost:5000/app', 'app'],
  ['[::1]:*', '[::1]:5000/app', 'app'],
  ['[::1]:*', '[::1]/app', 'app'],
  ['[::1]:5000', '[::1]:5000/app', 'app'],
  ['*.example.com', 'a.example.com/app', 'app'],
  ['*.example.com', 'a.b.example.com/app', 'app'],
  ['*.example.com', 'example.com/app', null],
  ['*.example.com', 'a.example.com:5000/app', null],
  ['*.example.com:*', 'a.example.com:5000/app', 'app'],
  ['*.example.com', 'a.example.com.evil.io/app', null],
  ['*.dkr.ecr.*.amazonaws.com', '123456789012.dkr.ecr.eu-west-1.amazonaws.com/team/app', 'team/app'],
  ['*/acme', 'quay.io/acme/app', 'app'],
  ['*/acme', 'acme/app', 'app'],
  ['*/acme', 'quay.io/other/acme', null],
];

const names: Row[] = [
  ['gcr.io/foo', 'gcr.io/foo', ''],
  ['gcr.io/foo', 'gcr.io/foo:1', ''],
  ['gcr.io/foo', 'gcr.io/foo/bar/baz:1', 'bar/baz'],
  ['gcr.io/foo', 'gcr.io/foobar', null],
  ['gcr.io/foo', 'gcr.io/foo-bar/app', null],
  ['gcr.io/foo/bar', 'gcr.io/foo', null],
  ['gcr.io/foo/bar', 'gcr.io/foo/ba/r', null],
  ['docker.io/library/nginx', 'nginx:1.27', ''],
  ['docker.io/library/nginx', 'library/nginx', ''],
  ['docker.io/library/nginx', 'nginx-exporter', null],
  ['docker.io/library', 'nginx', 'nginx'],
  ['docker.io/library', 'bitnami/nginx', null],
  ['ghcr.io/acme/*-private', 'ghcr.io/acme/app-private:1', ''],
  ['ghcr.io/acme/*-private', 'ghcr.io/acme/app-private/sub', 'sub'],
  ['ghcr.io/acme/*-private', 'ghcr.io/acme/app-public', null],
  ['ghcr.io/acme/*-private', 'ghcr.io/acme/team/app-private', null],
  ['ghcr.io/*/app', 'ghcr.io/acme/app', ''],
  ['ghcr.io/*/app', 'ghcr.io/acme/team/app', null],
  ['ghcr.io/*', 'ghcr.io/acme/team/app', 'team/app'],
  ['*', 'nginx:1', 'docker.io/library/nginx'],
  ['*', 'localhost:5000/a/b', 'localhost:5000/a/b'],
];

const exact: Row[] = [
  ['docker.io/library/nginx:1.27', 'nginx:1.27', ''],
  ['docker.io/library/nginx:1.27', 'nginx:1.28', null],
  ['docker.io/library/nginx:1.27', 'nginx', null],
  ['docker.io/library/nginx:1.27', `nginx:1.27@${digest}`, null],
  [`docker.io/library/nginx@${digest}`, `nginx@${digest}`, ''],
  [`docker.io/library/nginx@${digest}`, `nginx:1.27@${digest}`, null],
  [`docker.io/library/nginx:1.27@${digest}`, `nginx:1.27@${digest}`, ''],
  ['quay.io/acme/*:1', 'quay.io/acme/app:1', ''],
  ['quay.io/acme/*:1', 'quay.io/acme/app:2', null],
  ['quay.io/acme:1', 'quay.io/acme/app:1', null],
  ['quay.io/acme/app:1', 'quay.io/acme:1', null],
];

const expressions: Row[] = [
  [{ regex: '^docker\\.io/library/(.*)$' }, 'nginx:1', ''],
  [{ regex: '^docker\\.io/library/' }, 'nginx:1', 'nginx'],
  [{ regex: '^quay\\.io/acme' }, 'Quay.IO/acme/app:1', 'app'],
  [{ regex: '^Quay\\.IO/acme' }, 'Quay.IO/acme/app:1', null],
  [{ regex: 'acme' }, 'quay.io/acme/app:1', 'app'],
  [{ regex: ':1\\.27$' }, 'nginx:1.27', ''],
  [{ regex: ':1\\.27$' }, `nginx:1.27@${digest}`, null],
  [{ regex: '@sha256:' }, `nginx@${digest}`, ''],
  [{ regex: '^nginx' }, 'nginx', null],
  [{ regex: '(?i)ACME' }, 'quay.io/acme/app', 'app'],
];

for (const [title, rows] of Object.entries({ hosts, names, exact, expressions })) {
  test(`matching: ${title}`, (t) => {
    for (const [source, image, remainder] of rows) {
      const match = matchPattern(patternOf(source), referenceOf(image));
      t.equal(match?.remainder ?? null, remainder, `${JSON.stringify(source)} on ${image}`);
      if (match !== null) t.equal(match.source, typeof source === 'string' ? source : source.regex);
    }
    t.end();
  });
}

test('captures by number and by name; a group that took no part is empty', (t) => {
  const match = matchPattern(patternOf({ regex: '^([^/]+)/(?P<team>[^/]+)/([a-z]+)(:never)?' }), referenceOf('quay.io/acme/app:1'));
  t.strictSame(Object.fromEntries(match?.captures ?? []), {
    0: 'quay.io/acme/app',
    1: 'quay.io',
    2: 'acme',
    3: 'app',
    4: '',
    team: 'acme',
  });
  t.strictSame(matchPattern(patternOf('quay.io'), referenceOf('quay.io/a'))?.captures.size, 0, 'a name captures nothing');
  t.end();
});

test('patterns that are refused say what to write', (t) => {
  const table: [PatternSource, string][] = [
    ['nginx', 'write docker.io/library/nginx'],
    ['bitnami/redis', 'write docker.io/bitnami/redis'],
    // These once passed as a host with a port, and then never matched anything.
    ['nginx:1.27', 'write docker.io/library/nginx:1.27'],
    ['redis:7', 'write docker.io/library/redis:7'],
    [`nginx@${digest}`, 'write docker.io/library/nginx@sha256'],
    ['localhost:x', 'not a registry host'],
    ['', 'cannot be empty'],
    ['https://quay.io/acme', 'without a scheme'],
    ['quay.io/ acme', 'white space'],
    ['quay.io/acme/', 'write quay.io/acme'],
    ['quay.io/acme//', 'write quay.io/acme'],
    ['quay.io//acme', 'empty'],
    ['quay.io/Acme', 'lower case'],
    ['quay.io/ac$me', "{ regex: 'quay.io/ac$me' }"],
    ['quay.io/ac~me', 'not a component'],
    ['quay.io/acme:', 'not a tag'],
    ['quay.io/acme:1.*', 'a tag contains no *'],
    ['quay.io/acme@sha256:abc', 'not a digest'],
    ['quay.io/:1', 'needs a repository'],
    ['docker.io/nginx:1', 'docker.io/library/nginx'],
    ['-bad.io/acme', 'not a registry host'],
    ['bad_host.io/acme', 'not a registry host'],
    ['a..b/acme', 'not a registry host'],
    [{ regex: '^docker(?=x)' }, 'no lookaround'],
    [{ regex: '(a)\\1' }, 'not an RE2 expression'],
    [{ regex: '([a-z' }, 'not an RE2 expression'],
  ];
  for (const [source, words] of table) {
    const parsed = parsePattern(source);
    t.equal(parsed.ok, false, `${JSON.stringify(source)} is refused`);
    if (!parsed.ok) t.match(parsed.problem, words, JSON.stringify(source));
  }
  t.end();
});

test('an expression that explodes elsewhere stays linear', (t) => {
  const pattern = patternOf({ regex: '^(([a-z])+.)+[A-Z]([a-z])+$' });
  t.equal(matchPattern(pattern, referenceOf(`quay.io/${'a'.repeat(250)}`)), null);
  t.end();
});
