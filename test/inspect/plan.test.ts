/** What a policy would make of pods: which pods are counted. */
import type { V1Pod } from '@kubernetes/client-node';
import t from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { scanPods } from '../../src/inspect/scan/scan.ts';
import { policyText } from './facts.ts';

const moved = (name: string, record: object, image = 'backup.example/nginx'): V1Pod => ({
  metadata: { name, namespace: 'shop', annotations: { 'transship.dev/fallback': JSON.stringify({ a: record }) } },
  spec: { containers: [{ name: 'a', image }] },
});

const pod = (labels: Record<string, string>): V1Pod => ({
  metadata: { name: 'a', namespace: 'images', labels },
  spec: { containers: [{ name: 'a', image: 'nginx' }] },
});

t.test('pods of transship itself are counted, and were planned to change though they never do', (tt) => {
  const { compiled } = loadPolicy(policyText, 'policy.yaml');
  const { pods, plan } = scanPods(
    [pod({ 'app.kubernetes.io/part-of': 'transship' }), pod({ 'app.kubernetes.io/part-of': 'shop' })],
    compiled,
  );
  tt.equal(pods, 2);
  tt.match(plan?.images, [{ image: 'nginx', pods: 1 }]);
  tt.end();
});

t.test('pods that were moved to an alternative: from where, to what, why and when', (tt) => {
  const step = { step: 1, from: 'mirror.example/nginx', to: 'backup.example/nginx', reason: 'unreachable' };
  const second = { ...step, step: 2, from: 'other.example/nginx', earlier: [{ from: 'mirror.example/nginx', at: '2026-06-01T09:00:00Z' }] };
  const { fallbacks } = scanPods(
    [
      moved('a', { ...step, at: '2026-06-01T12:00:00Z' }),
      moved('b', { ...step, at: '2026-06-01T11:00:00Z' }),
      moved('c', { ...second, at: '2026-06-01T13:00:00Z' }),
      moved('d', { ...step, at: '2026-06-01T10:00:00Z' }, 'somebody/else'),
      moved('e', { ...step, reason: undefined, at: '2026-06-01T10:00:00Z' }),
    ],
    null,
  );
  const to = 'backup.example/nginx';
  tt.strictSame(fallbacks, [
    {
      namespace: 'shop',
      from: 'mirror.example/nginx',
      to,
      reason: null,
      pods: 1,
      since: '2026-06-01T10:00:00Z',
      latest: '2026-06-01T10:00:00Z',
    },
    {
      namespace: 'shop',
      from: 'mirror.example/nginx',
      to,
      reason: 'unreachable',
      pods: 3,
      since: '2026-06-01T09:00:00Z',
      latest: '2026-06-01T13:00:00Z',
    },
  ]);
  tt.end();
});
