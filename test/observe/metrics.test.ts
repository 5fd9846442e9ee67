/** The registry of metrics, and that the reference page lists each of ours as it is. */
import { readFile } from 'node:fs/promises';
import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';
import { createMetrics } from '../../src/observe/metrics.ts';

const own = (await createMetrics().registry.getMetricsAsJSON()).filter(({ name }) => name.startsWith('transship_'));

test('two registries do not know each other', async (t) => {
  const [one, two] = [createMetrics(), createMetrics()];
  one.reviews({ mode: 'enforce', result: 'patched' }).inc();
  t.notMatch(await two.registry.metrics(), /^transship_reviews_total\{/m);
  t.match(await one.registry.metrics(), /^transship_reviews_total\{mode="enforce",result="patched"\} 1$/m);
});

test('the page lists each metric with its type, and no other', async (t) => {
  const page = await readFile(new URL('../../docs/reference/metrics.md', import.meta.url), 'utf8');
  const rows = [...page.matchAll(/^\| `(transship_\w+)` \| (\w+) \|/gm)].map(([, name, type]) => `${name} ${type}`);
  t.same(rows.toSorted(), own.map(({ name, type }) => `${name} ${String(type)}`).toSorted());
});

test('how busy the event loop is, and nothing of prom-client that needs a timer or has another meaning here', async (t) => {
  const { registry } = createMetrics();
  const active = async (): Promise<number> =>
    Number(/^transship_eventloop_active_seconds_total (.*)$/m.exec(await registry.metrics())?.[1]);
  const began = performance.now();
  const before = await active();
  const end = performance.now() + 200;
  while (performance.now() < end);
  await sleep(20);
  const after = await active();
  const elapsed = (performance.now() - began) / 1000;
  t.ok(after - before >= 0.15 && after - before <= elapsed, `${after - before} s of ${elapsed} s`);
  t.notMatch(await registry.metrics(), /nodejs_eventloop_lag_(min|max|mean|stddev|p50|p90|p99)/);
  t.match(await registry.metrics(), /^nodejs_eventloop_lag_seconds /m);
});
