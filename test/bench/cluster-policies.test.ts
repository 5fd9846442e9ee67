/** The figures of compiled policies: what is compared with what. */
import { test } from 'tap';
import type { Measured } from '../../bench/creates.ts';
import { summarize } from '../../bench/figure.ts';
import { figuresOf, type VariantName } from '../../bench/suites/cluster-policies-figures.ts';

const measured = (rate: number, apiServer: number, webhook = 0): readonly Measured[] =>
  [1, 2, 3].map((round) => ({ rate: rate * round, p50: 1, p99: 1, apiServer: apiServer * round, webhook: webhook * round }));

test('each variant is beside its reference of the same round', (t) => {
  const variants = new Map<VariantName, readonly Measured[]>([
    ['no admission', measured(100, 10)],
    ['constant policy', measured(80, 20)],
    ['compiled policy', measured(40, 30)],
    ['webhook', measured(20, 30, 30)],
  ]);
  const figures = figuresOf({ rules: 5, containers: 3 }, variants);
  const ratios = Object.fromEntries(
    figures.filter(({ rounds }) => rounds.length > 0).map((figure) => [figure.name, summarize(figure).ratio]),
  );
  t.strictSame(ratios, {
    '5 rules, 3 containers, constant policy beside no admission: pod creates': 0.8,
    '5 rules, 3 containers, constant policy beside no admission: CPU of API server and webhook a pod': 2,
    '5 rules, 3 containers, compiled policy beside constant policy: pod creates': 0.5,
    '5 rules, 3 containers, compiled policy beside constant policy: CPU of API server and webhook a pod': 1.5,
    '5 rules, 3 containers, compiled policy beside webhook: pod creates': 2,
    '5 rules, 3 containers, compiled policy beside webhook: CPU of API server and webhook a pod': 0.5,
  });
  t.equal(new Set(figures.map(({ name }) => name)).size, figures.length, 'no two have the same name');
  t.end();
});
