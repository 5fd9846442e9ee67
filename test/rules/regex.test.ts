import { test } from 'tap';
import { isAnchored, literalHost, literalPrefix, unescapedDot } from '../../src/rules/regex.ts';

test('the text that every match starts with', (t) => {
  const table: [string, string][] = [
    ['^docker\\.io/library/(.*)$', 'docker.io/library/'],
    ['^docker\\.io/library/nginx$', 'docker.io/library/nginx'],
    ['^localhost:5000/', 'localhost:5000/'],
    ['^quay\\.io\\/acme\\-x', 'quay.io/acme-x'],
    ['^docker.io/library', 'docker'],
    // The last character may be absent or repeated, so it is not part of what is certain.
    ['^quay\\.io/acmes?', 'quay.io/acme'],
    ['^quay\\.io/a*', 'quay.io/'],
    ['^quay\\.io/a{2}', 'quay.io/'],
    ['^quay\\.?io/', 'quay'],
    ['^quay\\.io/\\w+', 'quay.io/'],
    ['^[a-z]', ''],
    ['quay\\.io/acme', ''],
    ['^quay\\.io/|^ghcr\\.io/', ''],
    ['^(?i)quay\\.io/', ''],
    ['(?m)^quay\\.io/', ''],
    ['^', ''],
    ['', ''],
  ];
  for (const [expression, prefix] of table) t.equal(literalPrefix(expression), prefix, expression);
  t.end();
});

test('the host that an expression is bound to', (t) => {
  const table: [string, string | null][] = [
    ['docker.io/library/', 'docker.io'],
    ['docker.io/', 'docker.io'],
    ['docker.io', null],
    ['Quay.IO/acme', 'quay.io'],
    ['', null],
  ];
  for (const [prefix, host] of table) t.equal(literalHost(prefix), host, prefix);
  t.end();
});

test('a dot that is probably meant literally', (t) => {
  const table: [string, string | null][] = [
    ['^docker.io/(.*)$', 'docker.io'],
    ['^docker\\.io/(.*)$', null],
    ['^(docker.io|quay\\.io)/', 'docker.io'],
    ['^registry-1.docker\\.io', '1.docker'],
    ['^quay\\.io/.*', null],
    ['^quay\\.io/a.+', null],
    ['^[a-z.io]+/', null],
    ['^quay\\.io/v1.\\d', null],
  ];
  for (const [expression, found] of table) t.equal(unescapedDot(expression), found, expression);
  t.end();
});

test('whether an expression can only match from the start', (t) => {
  const table: [string, boolean][] = [
    ['^docker\\.io/', true],
    ['\\Adocker\\.io/', true],
    ['(^docker\\.io)/', true],
    ['(?:^docker\\.io)/', true],
    ['docker\\.io/', false],
    ['(docker\\.io)/', false],
    ['.*^x', false],
    // The second alternative is free to match in the middle of a name.
    ['^docker\\.io/|quay\\.io/', false],
    ['(^docker\\.io|quay\\.io)/', false],
    ['^docker\\.io/|^quay\\.io/', true],
    ['(^docker\\.io|^quay\\.io)/', true],
    ['(?:^docker\\.io|^quay\\.io)/', true],
    ['^(docker\\.io|quay\\.io)/', true],
    ['^docker\\.io/a\\|b', true],
    ['^docker\\.io/[a|b]', true],
    ['^docker\\.io/(a|b)|c', false],
    ['(^docker\\.io)?/nginx', false],
    ['(^docker\\.io){0,1}/nginx', false],
    ['((^a|^b)|^c)x', true],
    ['((^a|b)|^c)x', false],
    ['(?P<host>^docker\\.io)/', true],
    ['(?i)^docker\\.io/', true],
    ['', false],
  ];
  for (const [expression, expected] of table) t.equal(isAnchored(expression), expected, expression);
  t.end();
});
