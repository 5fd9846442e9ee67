/**
 * From one engine to the other and back, with pods that are created all the time and a validating policy that refuses every pod that was not
 * rewritten: by way of `both` none is refused, and none stays as written.
 */
import tap, { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import type { CommandError } from '../../cluster/commands.ts';
import { release } from '../chart.ts';
import { transship } from '../../cli/terminal.ts';
import { problems } from '../../inspect/faults.ts';
import { createDryRun, eventually, podsPath, podWith } from '../installed.ts';
import { notRewritten } from './poller.ts';
import { mirrored } from './release.ts';
import { startLife } from './start.ts';

// Much longer than it takes: some of these at once on a busy machine must end by themselves.
tap.setTimeout(600_000);

const { namespace } = release;
const kinds = 'mutatingadmissionpolicy,mutatingadmissionpolicybinding,mutatingwebhookconfiguration';
const policy = 'mutatingadmissionpolicy.admissionregistration.k8s.io/transship';
const bindings = ['namespaces', 'pods'].map((name) => `mutatingadmissionpolicybinding.admissionregistration.k8s.io/transship-${name}`);
const webhook = 'mutatingwebhookconfiguration.admissionregistration.k8s.io/transship';

const refusal = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'it was accepted',
    (error: CommandError) => error.stderr,
  );

/** False where the policy is too new for it. @throws what else went wrong */
const isDone = (upgrade: Promise<unknown>): Promise<boolean> =>
  upgrade.then(
    () => true,
    (error: CommandError) => {
      if (/was created \d seconds ago/.test(error.stderr)) return false;
      throw error;
    },
  );

const engine = (name: string) => ({ engine: name, validatingPolicy: { enabled: true, registries: ['mirror.example.com'] } });

for (const program of ['helm', 'helm3'] as const) {
  test(`the engines of a release under ${program}`, { skip: skipReason({ level: 3 }) }, async (group) => {
    const life = await startLife(group, program);
    const { plane, node, poller, kubectl, helm, apply } = life;
    const present = async (): Promise<string[]> => (await kubectl('get', kinds, '-o', 'name')).trim().split('\n').toSorted();
    const deployments = (): Promise<string> => kubectl('-n', namespace, 'get', 'deployments', '-o', 'jsonpath={.items[*].metadata.name}');

    await group.test('install without a webhook', async (t) => {
      await apply('install', engine('admissionPolicy'));
      // Helm waits for the controller, which is ready once the policy is written.
      t.strictSame(await present(), [policy, ...bindings]);
      await poller.until('rewritten');
      t.equal(await deployments(), 'transship-controller');
    });

    if (program === 'helm')
      await group.test('doctor and why know the engine', async (t) => {
        t.strictSame(await problems(life), []);
        await plane.api.send('POST', podsPath('team-a'), { ...podWith('nginx:1.27'), metadata: { name: 'web' } });
        const why = await transship(['why', 'pod/web', '--namespace', 'team-a', '--kubeconfig', plane.kubeconfig, '-o', 'json']);
        t.match(JSON.parse(why.stdout), { release: 'images/transship', containers: [{ code: 'rewritten', rule: 'hub', image: mirrored }] });
        await kubectl('delete', 'mutatingadmissionpolicybinding', 'transship-pods');
        t.match(await problems(life), [
          { id: 'admission-policy', sentence: /MutatingAdmissionPolicyBinding transship-pods does not exist/ },
        ]);
      });

    await group.test('at once to the webhook is refused, and changes nothing', async (t) => {
      const pods = await poller.during(async () => {
        t.match(await refusal(apply('upgrade', engine('webhook'))), /no replica of the webhook is ready[^]*Upgrade with engine both first/);
      });
      t.strictSame(notRewritten(pods), []);
    });

    for (const [says, name, objects] of [
      ['to both', 'both', [policy, ...bindings, webhook]],
      ['to the webhook alone', 'webhook', [webhook]],
    ] as const)
      await group.test(says, async (t) => {
        const pods = await poller.during(() => eventually(`the upgrade to ${name}`, () => isDone(apply('upgrade', engine(name)))));
        t.strictSame(notRewritten(pods), [], 'the webhook went before the API server had read the policy');
        await eventually('the garbage collector has done its work', async () => (await present()).join() === objects.join());
      });

    await group.test('at once back to the policy is refused', async (t) => {
      const pods = await poller.during(async () => {
        t.match(
          await refusal(apply('upgrade', engine('admissionPolicy'))),
          /the MutatingAdmissionPolicy transship does not exist yet[^]*Upgrade with engine both first/,
        );
      });
      t.strictSame(notRewritten(pods), []);
    });

    // One way is enough for the other program.
    for (const name of program === 'helm' ? ['both', 'admissionPolicy'] : [])
      await group.test(`and back: ${name}`, async (t) => {
        const pods = await poller.during(() => eventually(`the upgrade to ${name}`, () => isDone(apply('upgrade', engine(name)))));
        t.strictSame(notRewritten(pods), [], 'the webhook went before the API server had read the policy');
        // A controller that stands by is ready, and the one before it may still lead.
        await eventually('the controller has written it', async () => (await present()).includes(policy));
      });
    // The other program went to the webhook alone.
    if (program === 'helm')
      await group.test('nothing of the webhook is left', async (t) => {
        t.strictSame(await present(), [policy, ...bindings]);
        t.equal(await deployments(), 'transship-controller');
        t.equal(await kubectl('-n', namespace, 'get', 'service,poddisruptionbudget', '-o', 'name'), '');
      });

    await group.test('the controller is refused nothing', async (t) => t.notMatch(node.logs('transship-controller'), /[Ff]orbidden/));

    await group.test('uninstall: no policy is left', async (t) => {
      const pods = await poller.during(async () => {
        // Else pods are judged for a moment that are rewritten no more.
        await apply('upgrade', { engine: program === 'helm' ? 'admissionPolicy' : 'webhook' });
        const other = podWith('quay.io/acme/app');
        await eventually('no pod is judged', async () => (await createDryRun(plane, 'team-a', other)).status === 201);
        await helm('uninstall', '--wait');
        await poller.until('as written');
        await eventually('the policy is gone', async () => (await plane.kubectl(['get', kinds, '-o', 'name'])).stdout === '');
      });
      t.strictSame(
        pods.filter(({ outcome }) => outcome === 'failed'),
        [],
        'none is refused',
      );
    });
  });
}
