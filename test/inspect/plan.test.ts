/** What a policy would make of pods: which pods are counted. */
import type { V1Pod } from '@kubernetes/client-node';
import t from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { scanPods } from '../../src/inspect/scan/scan.ts';
import { policyText } from './facts.ts';

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
