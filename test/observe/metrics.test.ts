/** The registry of metrics, and that the reference page lists each of ours as it is. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { createMetrics } from '../../src/observe/metrics.ts';

const own = (await createMetrics().registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('transship_'));

test('two registries do not know each other', async (t) => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.reviews({ mode: 'enforce', result: 'patched' }).inc();
  t.notMatch(await two.registry.metrics(), /transship_reviews_total\{/);
  t.match(await one.registry.metrics(), /^transship_reviews_total\{mode="enforce",result="patched"\} 1$/m);
});

test('the page lists each metric with its type, and no other', async (t) => {
  const page = await readFile(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(transship_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
  t.same(rows.toSorted(), own.map(({ name, type }) => `${name} ${String(type)}`).toSorted());
});

test('the event loop: its iterations since the last time, each figure once, and nothing that wakes an idle process', async (t) => {
  const { registry } = createMetrics();
  const lag = async (): Promise<Map<string, number>> => {
    await sleep(20);
    const samples = [...(await registry.metrics()).matchAll(/^nodejs_eventloop_lag_(\w+)_seconds (.*)$/gm)].map(
      ([, name = '', value]): [string, number] => [name, Number(value)],
    );
    t.same(samples.map(([name]) => name).toSorted(), ['max', 'mean', 'min', 'p50', 'p90', 'p99', 'stddev']);
    return new Map(samples);
  };
  await lag();
  const end = performance.now() + 200;
  while (performance.now() < end);
  const busy = await lag();
  t.ok((busy.get('max') ?? 0) >= 0.2 && (busy.get('p99') ?? 0) >= 0.2);
  t.ok((busy.get('min') ?? 1) <= (busy.get('p50') ?? 0) && (busy.get('mean') ?? 1) <= (busy.get('max') ?? 0));
  const idle = await lag();
  t.ok((idle.get('max') ?? 1) < 0.2, 'it starts anew');
});
