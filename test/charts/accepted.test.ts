import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { ciValues, release, render } from './chart.ts';

/** API groups of cert-manager and of the Prometheus operator, which a bare cluster does not have. */
const addedGroups = /^(cert-manager\.io|monitoring\.coreos\.com)\//;

test('the API server takes every object of every values file, and knows every field', { skip: skipReason({ level: 1 }) }, async (t) => {
  const plane = await startControlPlane(t);
  for (const namespace of [release.namespace, `${release.name}-self-test`]) await plane.createNamespace(namespace);
  // A dry run leaves no ServiceAccount behind that the pod of the self-test could name.
  await plane.kubectl(['-n', release.namespace, 'create', 'serviceaccount', `${release.name}-self-test`]);
  for (const [file, values] of ciValues) {
    const objects = (await render(values)).objects.filter(({ apiVersion }) => !addedGroups.test(apiVersion ?? ''));
    const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
    const { stdout, stderr } = await plane.kubectl(['apply', '--dry-run=server', '--validate=strict', '-f', '-'], { input });
    t.equal(stdout.trim().split('\n').length, objects.length, `${file}: ${stdout}`);
    t.equal(
      stderr.replaceAll(/^.*missing the kubectl.kubernetes.io\/last-applied-configuration annotation.*\n/gm, ''),
      '',
      `${file}: no warnings`,
    );
  }
});
