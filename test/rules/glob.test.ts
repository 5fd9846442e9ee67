import { test } from 'tap';
import { globCovers, matchesGlob } from '../../src/rules/glob.ts';

test('* is any number of characters, none included', (t) => {
  const table: [string, string, boolean][] = [
    ['', '', true],
    ['', 'a', false],
    ['a', 'a', true],
    ['a', 'ab', false],
    ['*', '', true],
    ['*', 'anything', true],
    ['team-*', 'team-a', true],
    ['team-*', 'team-', true],
    ['team-*', 'teams', false],
    ['*-prod', 'shop-prod', true],
    ['*-prod', 'shop-prod-2', false],
    ['a*b*c', 'a-b-b-c', true],
    ['a*b*c', 'acb', false],
    ['a**b', 'ab', true],
    ['*a', 'aaab', false],
    ['kube-?', 'kube-x', false],
    ['[a-z]', 'a', false],
  ];
  for (const [pattern, text, expected] of table) t.equal(matchesGlob(pattern, text), expected, `${pattern} on ${text}`);
  t.equal(matchesGlob('*a*a*a*a*a*a*a*a*b', 'a'.repeat(5000)), false, 'many stars do not explode');
  t.end();
});

test('one pattern covers another only where that is certain', (t) => {
  const table: [string, string, boolean][] = [
    ['*', 'a*', true],
    ['a*', 'a*', true],
    ['a*', 'ab', true],
    ['a*', 'ab*', true],
    ['ab*', 'a*', false],
    ['a', '*', false],
    ['*b', '*', false],
  ];
  for (const [outer, inner, expected] of table) t.equal(globCovers(outer, inner), expected, `${outer} covers ${inner}`);
  t.end();
});
