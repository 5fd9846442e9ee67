/** Every example policy, compiled: the API server decides its `tests:` as the engine does. */
import { readdirSync, readFileSync } from 'node:fs';
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { loaded, startCluster } from './equality.ts';

tap.setTimeout(120_000);

const folder = new URL('../../examples/', import.meta.url);
const policies = readdirSync(folder)
  .filter((name) => name.endsWith('.yaml'))
  .map((name) => ({ name, text: readFileSync(new URL(name, folder), 'utf8') }))
  .filter(({ text }) => text.includes('kind: RewritePolicy'));

for (const minor of ['1.36', '1.37']) {
  test(`examples on Kubernetes ${minor}`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    const cluster = await startCluster(t, { emulatedVersion: minor });
    const admissions = [];
    for (const { name, text } of policies) admissions.push({ name, text, admission: await cluster.enforce(text) });
    for (const { name, text, admission } of admissions) {
      for (const [index, { image, podLabels }] of loaded(text).policy.tests.entries()) {
        const pod = { metadata: { name: `pod-${index}`, labels: podLabels }, spec: { containers: [{ name: 'main', image }] } };
        t.same(await admission.created(pod), null, `${name}: ${image}`);
      }
      t.ok(admission.changes() > 0, `${name} changes pods`);
    }
  });
}
