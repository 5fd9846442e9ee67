/** As k8s.io/apimachinery/pkg/labels/selector.go, Requirement.Matches, has it. */
import { test } from 'tap';
import { matchesSelector } from '../../src/policy/label-selector.ts';
import type { LabelRequirement, LabelSelector } from '../../src/policy/types.ts';

const requirement = (operator: LabelRequirement['operator'], ...values: string[]): LabelSelector => ({
  matchExpressions: [{ key: 'tier', operator, ...(values.length === 0 ? {} : { values }) }],
});

const rows: readonly (readonly [
  title: string,
  selector: LabelSelector,
  selected: readonly (string | undefined)[],
  others: readonly (string | undefined)[],
])[] = [
  ['In', requirement('In', 'db', 'cache'), ['db', 'cache'], ['web', '', undefined]],
  ['NotIn, which an absent label satisfies', requirement('NotIn', 'db'), ['web', '', undefined], ['db']],
  ['Exists', requirement('Exists'), ['db', ''], [undefined]],
  ['DoesNotExist', requirement('DoesNotExist'), [undefined], ['db', '']],
  ['matchLabels', { matchLabels: { tier: 'db' } }, ['db'], ['', undefined]],
  ['both', { matchLabels: { tier: 'db' }, matchExpressions: [{ key: 'tier', operator: 'NotIn', values: ['db'] }] }, [], ['db', undefined]],
];

const labels = (value: string | undefined): Record<string, string> => (value === undefined ? {} : { tier: value });

for (const [title, selector, selected, others] of rows) {
  test(`label selector: ${title}`, (t) => {
    for (const value of selected) t.ok(matchesSelector(selector, labels(value)), String(value));
    for (const value of others) t.notOk(matchesSelector(selector, labels(value)), String(value));
    t.end();
  });
}

test('a label that every object inherits is none', (t) => {
  t.notOk(matchesSelector({ matchExpressions: [{ key: 'toString', operator: 'Exists' }] }, {}));
  t.end();
});
