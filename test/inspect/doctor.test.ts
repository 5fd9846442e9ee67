/** `transship doctor` at the real API server with an installed release: a healthy cluster has no finding, and each planted fault exactly one. */
import tap, { test } from 'tap';

import { eventually } from '../charts/installed.ts';
import { startLife } from '../charts/life/start.ts';
import { skipReason } from '../cluster/binaries.ts';
import { transship } from '../cli/terminal.ts';
import { faults, problems } from './faults.ts';
import { viewer } from './viewer.ts';

// Much longer than it takes.
tap.setTimeout(600_000);

test('doctor', { skip: skipReason({ level: 3 }) }, async (group) => {
  const life = await startLife(group, 'helm');
  const none = await problems(life);
  group.match(none, [{ id: 'registered' }], 'before the install');
  group.equal(none.length, 1);
  const before = await transship(['doctor', '--kubeconfig', life.plane.kubeconfig]);
  group.notMatch(before.stdout, /✓ (?!Kubernetes)/, 'nothing is said to hold of a release that is not there');
  await life.apply('install', {});
  await life.poller.until('rewritten');

  const healthy = () => eventually('the cluster is healthy', async () => (await problems(life)).length === 0, 90_000);
  await group.test('a healthy cluster has no finding', async (t) => {
    await healthy();
    t.strictSame(await problems(life), []);
    const shown = await transship(['doctor', '--kubeconfig', life.plane.kubeconfig]);
    t.equal(shown.code, 0);
    t.match(shown.stdout, /^✓ transship is registered with the API server$/m);
    t.notMatch(shown.stdout, /✗/);
    t.strictSame(
      shown.stdout.split('\n').filter((line) => line.startsWith('–')),
      ['– every replica has the policy of its ConfigMap, but for changes of the last two minutes: not seen'],
      'the API server refuses to proxy to pods that are processes on loopback',
    );
    t.match(shown.stderr, /metrics of pod images\/transship-\S+: .*403/);
    t.match(shown.stdout, /^✓ the API server reaches the webhook \(dry run of a pod\)$/m);
    const without = await transship(['doctor', '--no-probe', '--kubeconfig', life.plane.kubeconfig]);
    t.match(without.stdout, /^– the API server reaches the webhook \(dry run of a pod\): not seen$/m);
    t.match(without.stderr, /a dry-run pod: left out by --no-probe/);
    t.match(shown.stdout, /^! \d+ calls of enforce\.transship\.dev failed/m, 'before the webhook was there, and that is over');
  });

  await group.test('with the rights of a viewer it says what it could not see', async (t) => {
    const folder = t.testdir({ kubeconfig: await viewer(life.plane, 'team-a', 'view') });
    const { code, stdout, stderr } = await transship(['doctor', '--kubeconfig', `${folder}/kubeconfig`]);
    t.equal(code, 2, 'it once ended with 0, as if the installation worked');
    t.match(stderr, /^transship doctor: no installation was checked: webhook configurations .* may not be listed/m);
    t.match(stdout, /^– transship is registered with the API server: not seen$/m);
    t.match(stderr, /Could not see:\n {2}mutatingwebhookconfigurations: .*forbidden/);
  });

  await group.test('without the right to create pods, or where they are refused, it says so and finds no fault', async (t) => {
    const { plane } = life;
    const rules = [{ apiGroups: ['*'], resources: ['*'], verbs: ['get', 'list'] }];
    await plane.api.send('POST', '/apis/rbac.authorization.k8s.io/v1/clusterroles', { metadata: { name: 'reader' }, rules });
    const folder = t.testdir({ kubeconfig: await viewer(plane, 'team-a', 'reader', 'reader') });
    const reader = await transship(['doctor', '--kubeconfig', `${folder}/kubeconfig`]);
    t.equal(reader.code, 0, reader.stdout);
    t.match(reader.stdout, /^– the API server reaches the webhook.*not seen$/m);
    t.match(reader.stderr, /a dry-run pod in namespace team-a: pods is forbidden.*; the right to create pods there/);
    const quota = { metadata: { name: 'full' }, spec: { hard: { 'limits.memory': '1Mi' } } };
    await plane.api.send('POST', '/api/v1/namespaces/team-a/resourcequotas', quota);
    await eventually('the quota counts', async () => {
      const { stderr, stdout, code } = await transship(['doctor', '--kubeconfig', plane.kubeconfig]);
      t.equal(code, 0, stdout);
      return /a dry-run pod in namespace team-a: pods .* is forbidden: exceeded quota: full/.test(stderr);
    });
    await plane.api.send('DELETE', '/api/v1/namespaces/team-a/resourcequotas/full');
    t.same((await life.kubectl('get', 'pods', '--all-namespaces', '-o', 'name')).match(/transship-doctor/g), null, 'no pod is stored');
    await healthy();
  });

  for (const { says, id, sentence, remedy, plant, undo } of faults)
    await group.test(says, async (t) => {
      await plant(life);
      let found: Awaited<ReturnType<typeof problems>> = [];
      // The API server learns of some of them a moment later.
      await eventually('it is found', async () => {
        found = await problems(life);
        return found.length > 0;
      });
      t.strictSame(
        found.map((problem) => problem.id),
        [id],
        JSON.stringify(found),
      );
      t.match(found[0]?.sentence, sentence);
      t.match(found[0]?.remedy, remedy);
      const shown = await transship(['doctor', '--kubeconfig', life.plane.kubeconfig]);
      t.equal(shown.code, 1);
      t.equal(shown.stdout.split('\n').filter((line) => line.startsWith('✗')).length, 1);
      await undo(life);
      await healthy();
    });
});
