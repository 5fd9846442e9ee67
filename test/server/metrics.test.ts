/** What /metrics counts, exactly, after reviews of every kind. */
import { test } from 'tap';
import { pod, reviewOf } from '../builders/pod.ts';
import { call, get } from './call.ts';
import { metricsOf, running } from './running.ts';

const mixed = reviewOf({
  object: pod({
    containers: {
      web: 'nginx:1.27',
      app: 'quay.io/acme/app:1',
      static: 'gcr.io/distroless/static',
      pause: 'registry.k8s.io/pause:3.10',
      there: 'localhost:30500/library/redis:7',
      broken: 'UPPER/case:1:2',
    },
  }),
});
const system = reviewOf({ namespace: 'kube-system', object: pod({ containers: { web: 'nginx' } }) });
const untouched = reviewOf({ object: pod({ containers: { static: 'gcr.io/distroless/static' } }) });

test('reviews by mode and result, images by rule, outcome and mode', async (t) => {
  const server = await running(t);
  for (const path of ['/mutate', '/mutate', '/shadow']) await call(server, { path, body: mixed });
  await call(server, { body: system });
  await call(server, { body: untouched });
  await call(server, { body: '{' });
  await call(server, { path: '/shadow', body: '{}' });
  await get(server, '/readyz');
  await get(server, '/nowhere');
  const metrics = await metricsOf(server);
  const counted = [...metrics].filter(
    ([name, value]) => /^transship_(reviews|reviews_skipped|images)_total|_count\{/.test(name) && value > 0,
  );
  t.same(Object.fromEntries(counted), {
    'transship_reviews_total{mode="enforce",result="patched"}': 2,
    'transship_reviews_total{mode="enforce",result="skipped"}': 1,
    'transship_reviews_skipped_total{reason="system-namespace",mode="enforce"}': 1,
    'transship_reviews_total{mode="enforce",result="unpatched"}': 1,
    'transship_reviews_total{mode="enforce",result="rejected"}': 1,
    'transship_reviews_total{mode="shadow",result="unpatched"}': 1,
    'transship_reviews_total{mode="shadow",result="rejected"}': 1,
    'transship_images_total{rule="hub",outcome="rewritten",mode="enforce"}': 2,
    'transship_images_total{rule="vendor",outcome="rewritten",mode="enforce"}': 2,
    'transship_images_total{rule="",outcome="no-rule",mode="enforce"}': 3,
    'transship_images_total{rule="",outcome="excluded",mode="enforce"}': 2,
    'transship_images_total{rule="",outcome="already-there",mode="enforce"}': 2,
    'transship_images_total{rule="",outcome="invalid",mode="enforce"}': 2,
    'transship_images_total{rule="hub",outcome="rewritten",mode="shadow"}': 1,
    'transship_images_total{rule="vendor",outcome="rewritten",mode="shadow"}': 1,
    'transship_images_total{rule="",outcome="no-rule",mode="shadow"}': 1,
    'transship_images_total{rule="",outcome="excluded",mode="shadow"}': 1,
    'transship_images_total{rule="",outcome="already-there",mode="shadow"}': 1,
    'transship_images_total{rule="",outcome="invalid",mode="shadow"}': 1,
    'transship_review_duration_seconds_count{mode="enforce"}': 4,
    'transship_review_duration_seconds_count{mode="shadow"}': 1,
  });
});

// An alert on increase() misses the first one of a series that begins with it.
test('counters used in alerts start at 0', async (t) => {
  const metrics = await metricsOf(await running(t));
  for (const mode of ['enforce', 'shadow']) {
    for (const result of ['patched', 'unpatched', 'skipped', 'rejected', 'overloaded', 'failed'])
      t.equal(metrics.get(`transship_reviews_total{mode="${mode}",result="${result}"}`), 0);
    for (const reason of ['not-pods', 'system-namespace', 'release-namespace', 'mirror-pod', 'opted-out', 'image-manager'])
      t.equal(metrics.get(`transship_reviews_skipped_total{reason="${reason}",mode="${mode}"}`), 0);
    t.equal(metrics.get(`transship_images_total{rule="hub",outcome="refused",mode="${mode}"}`), 0);
    t.equal(metrics.get(`transship_review_duration_seconds_count{mode="${mode}"}`), 0);
  }
  for (const result of ['loaded', 'refused']) {
    t.equal(metrics.get(`transship_policy_reloads_total{result="${result}"}`), 0);
    t.equal(metrics.get(`transship_certificate_reloads_total{result="${result}"}`), 0);
  }
});

test('readiness probes by status code', async (t) => {
  const server = await running(t);
  const counted = async (): Promise<unknown[]> => {
    const metrics = await metricsOf(server);
    return ['200', '503'].map((code) => metrics.get(`transship_readiness_probes_total{code="${code}"}`));
  };
  t.same(await counted(), [0, 0]);
  await get(server, '/readyz');
  await get(server, '/healthz');
  server.webhook.startDraining();
  await get(server, '/readyz');
  await get(server, '/readyz');
  t.same(await counted(), [1, 2]);
});

test('the policy and the certificate in use', async (t) => {
  const server = await running(t);
  const metrics = await metricsOf(server);
  t.equal(metrics.get(`transship_policy_info{revision="${server.webhook.revision().id}"}`), 1);
  const end = metrics.get('transship_certificate_expiry_timestamp_seconds') ?? 0;
  t.ok(end > Date.now() / 1000 && end < Date.now() / 1000 + 3601, 'Unix seconds');
});

test('the metrics port has health as well and nothing else', async (t) => {
  const { webhook } = await running(t);
  const at = `http://127.0.0.1:${webhook.metricsPort}`;
  for (const path of ['/healthz', '/readyz']) t.equal((await fetch(`${at}${path}`)).status, 200, path);
  webhook.startDraining();
  const unready = await fetch(`${at}/readyz`);
  t.equal(unready.status, 503);
  t.equal(await unready.text(), 'draining\n');
  t.equal((await fetch(`${at}/healthz`)).status, 200, 'a restart would lose what is in flight');
  for (const path of ['/', '/mutate']) {
    const answer = await fetch(`${at}${path}`, { method: path === '/mutate' ? 'POST' : 'GET' });
    t.equal(answer.status, 404, path);
    t.equal(await answer.text(), 'GET /healthz, /readyz, /metrics\n', path);
  }
});
