import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'tap';

import type { V1Namespace } from '@kubernetes/client-node';

import { hostsText, withUnavailable } from '../../src/controller/hosts/hosts-text.ts';
import { binary, skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { installTransship } from '../cluster/install.ts';
import { serve } from '../cluster/serve.ts';
import { transship } from '../cli/terminal.ts';
import { chartFolder, release as own } from './chart.ts';
import { exportedPolicy } from './exported-policy.ts';
import { eventually, install } from './installed.ts';
import { runPod } from './pretend-kubelet.ts';

/** Level 2: a namespace goes away only with the controller manager. */
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

/** Starts `helm test` and kills it when its Role is there. */
async function killedTest(plane: ControlPlane, { release, namespace }: { release: string; namespace: string }): Promise<void> {
  const child = spawn(binary('helm'), ['test', release, '--namespace', namespace], { env: plane.environment, stdio: 'ignore' });
  const ended = once(child, 'exit');
  await eventually('the Role of the test is there', async () => (await roles(plane, `${release}-self-test`)).length === 1);
  child.kill('SIGKILL');
  await ended;
}

const roles = async (plane: ControlPlane, namespace: string): Promise<readonly object[]> =>
  (await plane.api.send<{ items: object[] }>('GET', `/apis/rbac.authorization.k8s.io/v1/namespaces/${namespace}/roles`)).body.items;

test('helm test creates the pods of the policy in dry run and compares their images', options, async (t) => {
  const plane = await startControlPlane(t, { level: 2 });
  const installed = await installTransship(plane, { policy });
  const { release, namespace } = installed;
  const self = `${release}-self-test`;

  const exists = async (path: string) => (await plane.api.send('GET', path)).status !== 404;
  const helmTest = () => plane.helm(['test', release, '--namespace', namespace, '--timeout', '90s']);
  const pod = `/api/v1/namespaces/${namespace}/pods/${self}`;

  await killedTest(plane, installed);
  const { body } = await plane.api.send<V1Namespace>('GET', `/api/v1/namespaces/${self}`);
  t.equal(body.metadata?.labels?.['transship.dev/rewrite'], 'disabled', 'its namespace gets no copies of pull secrets');
  await plane.api.send('DELETE', pod);

  const [run, passed] = await Promise.all([runPod(plane, namespace, self), helmTest()]);
  t.equal(run.stdout, 'ok      nginx:1.27 -> mirror.example.com/library/nginx:1.27\nok      quay.io/acme/app -> quay.io/acme/app\n');
  t.match(passed.stdout, /Phase:\s+Succeeded/, 'also after a test that was killed: its namespace was once in the way');
  t.same(await roles(plane, self), [], 'the right to create pods is gone');
  t.notOk(await exists(pod), 'and so is the pod');

  await installed.upgrade({ selfTest: { images: [{ image: 'nginx', becomes: 'elsewhere.example.com/nginx' }] } });
  const [failedRun, failed] = await Promise.allSettled([runPod(plane, namespace, self), helmTest()]);
  t.match(failedRun, {
    status: 'fulfilled',
    value: { code: 1, stdout: /NOT OK {2}nginx -> mirror\.example\.com\/library\/nginx\n +expected elsewhere/ },
  });
  t.match(failed, { status: 'rejected' });
  t.ok(await exists(pod), 'the pod stays, for its log');
  t.same(await roles(plane, self), []);

  await plane.helm(['uninstall', release, '--namespace', namespace]);
  await eventually('its namespace is gone', async () => !(await exists(`/api/v1/namespaces/${self}`)));
  t.notOk(await exists(`/api/v1/namespaces/${namespace}/configmaps/${self}`));
});

test('without a webhook, and without any pod of transship: helm test sees the API server rewrite', options, async (t) => {
  const plane = await startControlPlane(t, { level: 2 });
  const where = ['--namespace', own.namespace];
  await plane.createNamespace(own.namespace);
  const values = {
    engine: 'admissionPolicy',
    admissionPolicy: { exported: exportedPolicy({}, policy) },
    rewritePolicy: { inline: policy },
  };
  await plane.helm(['install', own.name, chartFolder, ...where, '--values', '-'], { input: JSON.stringify(values) });
  const { stdout: pods } = await plane.kubectl(['get', 'deployments,pods', ...where, '-o', 'name']);
  t.equal(pods, '');
  const self = `${own.name}-self-test`;
  const [run, passed] = await Promise.all([
    runPod(plane, own.namespace, self),
    plane.helm(['test', own.name, ...where, '--timeout', '90s']),
  ]);
  t.equal(run.stdout, 'ok      nginx:1.27 -> mirror.example.com/library/nginx:1.27\nok      quay.io/acme/app -> quay.io/acme/app\n');
  t.match(passed.stdout, /Phase:\s+Succeeded/);
  const doctor = await transship(['doctor', '--kubeconfig', plane.kubeconfig]);
  t.notMatch(doctor.stdout, /✗/, 'a webhook that is not there is no fault');
  t.match(doctor.stdout, /^✓ the MutatingAdmissionPolicy is there, and bound$/m);
  t.notMatch(doctor.stdout, /holds its Lease|copies of pull secrets/, 'nor is a controller: it was told that it holds its Lease');

  await plane.helm(['uninstall', own.name, ...where, '--wait']);
  const { stdout: left } = await plane.kubectl(['get', 'mutatingadmissionpolicies,mutatingadmissionpolicybindings', '-o', 'name']);
  t.equal(left, '');
});

test(
  'helm test passes while a registry is unavailable, and names it: it failed, and an outage of a mirror undid upgrades',
  options,
  async (t) => {
    const text = policy
      .replace('mirror: {', 'second: { host: second.example.com }\n  mirror: {')
      .replace('as: path }', 'as: path }, alternatives: [{ as: original }]');
    const images = [
      { image: 'nginx:1.27', becomes: 'mirror.example.com/library/nginx:1.27' },
      { image: 'quay.io/acme/app', becomes: 'second.example.com/acme/app' },
    ];
    const values = { rewritePolicy: { inline: text }, selfTest: { images }, controller: { features: { fallback: true } } };
    const { plane, certificate, service, address } = await install(t, values, { level: 2 });
    const hosts = hostsText(withUnavailable({ other: 'localhost:30500' }, new Set(['mirror', 'local'])));
    const metadata = { name: `${own.name}-hosts` };
    await plane.api.send('POST', `/api/v1/namespaces/${own.namespace}/configmaps`, { metadata, data: { 'hosts.yaml': hosts } });
    const file = join(t.testdir({ 'hosts.yaml': hosts }), 'hosts.yaml');
    const args = ['--resolved-hosts', file];
    const serving = await serve(plane, { service, namespace: own.namespace, clusterIP: address.host, policy: text, certificate, args });
    const run = async (): Promise<string> => {
      const helmTest = plane.helm(['test', own.name, '--namespace', own.namespace, '--timeout', '90s']);
      const [ended] = await Promise.allSettled([runPod(plane, own.namespace, `${own.name}-self-test`), helmTest]);
      return ended.status === 'fulfilled' ? ended.value.stdout : String(ended.reason);
    };
    const moved =
      'ok      nginx:1.27 -> nginx:1.27\n        instead of mirror.example.com/library/nginx:1.27: nodes do not reach registry mirror\n';
    const wrong = 'NOT OK  quay.io/acme/app -> quay.io/acme/app\n        expected second.example.com/acme/app\n';
    t.equal(await run(), `${moved}${wrong}`, 'another registry is reached, and its image is wrong all the same');
    await serving.kill();
    t.match(await run(), /^NOT OK {2}nginx:1\.27 -> nginx:1\.27\n/, 'nobody rewrites: the image as written is no alternative then');
  },
);
