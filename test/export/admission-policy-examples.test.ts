/** Every example policy, compiled: the API server decides its `tests:` as the engine does. */
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { loaded, startCluster } from './equality.ts';
import { examplePolicies } from './policies.ts';

tap.setTimeout(120_000);

for (const minor of ['1.36', '1.37']) {
  test(`examples on Kubernetes ${minor}`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    const cluster = await startCluster(t, { emulatedVersion: minor });
    const admissions = [];
    for (const { name, text } of examplePolicies)
      admissions.push({ name, text, admission: await cluster.enforce(text, { followsHosts: true }) });
    for (const { name, text, admission } of admissions) {
      for (const [index, { image, podLabels }] of loaded(text).policy.tests.entries()) {
        const pod = { metadata: { name: `pod-${index}`, labels: podLabels }, spec: { containers: [{ name: 'main', image }] } };
        t.same(await admission.created(pod), null, `${name}: ${image}`);
      }
      t.ok(admission.changes() > 0, `${name} changes pods`);
    }
  });
}
