/** The registry of metrics, and that the reference page lists each of ours as it is. */
import { readFile } from 'node:fs/promises';
import { test } from 'tap';
import { createMetrics } from '../../src/observe/metrics.ts';

const own = (await createMetrics().registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('transship_'));

test('two registries do not know each other', async (t) => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.reviews({ mode: 'enforce', result: 'patched' }).add();
  t.notMatch(await two.registry.metrics(), /transship_reviews_total\{/);
  t.match(await one.registry.metrics(), /^transship_reviews_total\{mode="enforce",result="patched"\} 1$/m);
});

test('the page lists each metric with its type, and no other', async (t) => {
  const page = await readFile(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(transship_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
  t.same(rows.toSorted(), own.map(({ name, type }) => `${name} ${String(type)}`).toSorted());
});
