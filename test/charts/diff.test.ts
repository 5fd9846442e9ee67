/** What others or the API server fill in is not rendered, so nothing differs after an apply: GitOps has nothing to put right. */
import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { ciValues, release, render } from './chart.ts';

/** Kinds of operators that this cluster does not have. */
const addedGroups = /^(cert-manager\.io|monitoring\.coreos\.com)\//;

for (const side of ['server', 'client'] as const) {
  test(`kubectl diff is empty after an apply by the ${side}`, { skip: skipReason({ level: 1 }) }, async (t) => {
    const plane = await startControlPlane(t);
    await plane.createNamespace(release.namespace);
    const flags = side === 'server' ? ['--server-side', '--force-conflicts'] : [];
    for (const [file, values] of ciValues) {
      const { objects } = await render(values, ['--no-hooks']);
      const items = objects.filter(({ apiVersion }) => !addedGroups.test(apiVersion ?? ''));
      const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items });
      await plane.kubectl(['apply', ...flags, '-f', '-'], { input });
      const { stdout } = await plane.kubectl(['diff', ...flags, '-f', '-'], { input }).catch((error: { stdout: string }) => error);
      t.equal(stdout, '', file);
      await plane.kubectl(['delete', '--ignore-not-found', '--wait=false', '-f', '-'], { input });
    }
  });
}
