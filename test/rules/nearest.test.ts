import { test } from 'tap';
import { nearest } from '../../src/rules/nearest.ts';

test('the nearest known word, or none', (t) => {
  const known = ['registries', 'rules', 'exclude', 'tests', 'kind'];
  const table: [string, string | null][] = [
    ['registres', 'registries'],
    ['registry', 'registries'],
    ['rule', 'rules'],
    ['Rules', 'rules'],
    ['excludes', 'exclude'],
    ['test', 'tests'],
    ['kid', 'kind'],
    ['kidn', 'kind'],
    ['rulse', 'rules'],
    ['kxyd', null],
    ['pullSecrets', null],
    ['', null],
  ];
  for (const [word, expected] of table) t.equal(nearest(word, known), expected, word);
  t.equal(nearest('anything', []), null, 'nothing is known');
  t.end();
});
