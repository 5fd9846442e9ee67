import { test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane } from '../cluster/control-plane.ts';
import { installTransship } from '../cluster/install.ts';
import { eventually } from './installed.ts';
import { runPod } from './pretend-kubelet.ts';

/** Level 2: the namespace of the self-test goes away only with the controller manager. */
const options = { skip: skipReason({ level: 2 }) };

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
tests:
  - { image: "nginx:1.27", becomes: "mirror.example.com/library/nginx:1.27" }
  - { image: quay.io/acme/app, becomes: quay.io/acme/app }
`;

test('helm test creates the pods of the policy in dry run and compares their images', options, async (t) => {
  const plane = await startControlPlane(t, { level: 2 });
  const installed = await installTransship(plane, { policy });
  const { release, namespace } = installed;
  const self = `${release}-self-test`;

  const exists = async (path: string) => (await plane.api.send('GET', path)).status !== 404;
  const namespaceIsGone = () => eventually('its namespace is gone', async () => !(await exists(`/api/v1/namespaces/${self}`)));
  const helmTest = () => plane.helm(['test', release, '--namespace', namespace, '--timeout', '90s']);

  const [run, passed] = await Promise.all([runPod(plane, namespace, self), helmTest()]);
  t.equal(run.stdout, 'ok      nginx:1.27 -> mirror.example.com/library/nginx:1.27\nok      quay.io/acme/app -> quay.io/acme/app\n');
  t.match(passed.stdout, /Phase:\s+Succeeded/);
  await namespaceIsGone();
  const { stdout } = await plane.kubectl([
    '-n',
    namespace,
    'get',
    'pod,configmap,serviceaccount',
    '-l',
    'app.kubernetes.io/component=self-test',
    '-o',
    'name',
  ]);
  t.equal(stdout, '', 'nothing of the test is left');

  await installed.upgrade({ selfTest: { images: [{ image: 'nginx', becomes: 'elsewhere.example.com/nginx' }] } });
  const [failedRun, failed] = await Promise.allSettled([runPod(plane, namespace, self), helmTest()]);
  t.match(failedRun, {
    status: 'fulfilled',
    value: { code: 1, stdout: /NOT OK {2}nginx -> mirror\.example\.com\/library\/nginx\n +expected elsewhere/ },
  });
  t.match(failed, { status: 'rejected' });
  t.ok(await exists(`/api/v1/namespaces/${namespace}/pods/${self}`), 'the pod stays, for its log');
  await namespaceIsGone();
});
