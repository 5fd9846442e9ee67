import { test } from 'tap';
import { movement, quantile, summarize, type Figure } from '../../bench/figure.ts';

function figure(values: readonly number[], references: readonly number[] = values.map(() => 10)): Figure {
  return {
    suite: 'https',
    name: 'CPU',
    unit: 'µs',
    reference: 'parsing',
    rounds: values.map((value, index) => ({ value, reference: references[index] ?? 10 })),
  };
}

test('a ratio is that of each round, so a slow minute does not count', (t) => {
  // The third round met a machine that was ten times as slow.
  const { ratio, noise, value } = summarize(figure([5, 5, 50, 5, 5], [10, 10, 100, 10, 10]));
  t.equal(ratio, 0.5);
  t.equal(noise, 0);
  t.equal(value, 5);
  t.end();
});

test('noise is half of the middle half, as a part of the ratio', (t) => {
  t.equal(summarize(figure([32, 36, 40, 44, 48], [32, 32, 32, 32, 32])).noise, 0.1);
  t.end();
});

test('quantiles', (t) => {
  for (const [sorted, part, expected] of [
    [[1], 0.99, 1],
    [[1, 3], 0.5, 2],
    [[1, 2, 3, 4, 5], 0.25, 2],
    [[0, 10], 0.9, 9],
  ] as const)
    t.equal(quantile(sorted, part), expected);
  t.ok(Number.isNaN(quantile([], 0.5)));
  t.end();
});

const steady = [10, 10, 10, 10, 10, 10, 10];
const movements: readonly { name: string; after: readonly number[]; before?: readonly number[]; moved: boolean }[] = [
  { name: 'slower in every round', after: [11, 12, 11, 12, 11, 12, 11], moved: true },
  { name: 'faster in every round', after: [9, 8, 9, 8, 9, 8, 9], moved: true },
  { name: 'one round says otherwise', after: [11, 12, 11, 9, 11, 12, 11], moved: false },
  { name: 'every round, but by nothing worth naming', after: [10.1, 10.1, 10.1, 10.1, 10.1, 10.1, 10.1], moved: false },
  { name: 'too few rounds to tell', after: [20, 20, 20], before: [10, 10, 10], moved: false },
  { name: 'the same', after: steady, moved: false },
];

for (const { name, after, before = steady, moved } of movements) {
  test(`moved or not: ${name}`, (t) => {
    t.equal(movement(figure(before), figure(after)).moved, moved);
    t.end();
  });
}
