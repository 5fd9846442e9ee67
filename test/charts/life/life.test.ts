/** A release's life under Helm 4, with pods that are created all the time: none fails and none stays as written wherever the guides promise so. */
import tap, { test } from 'tap';

import type { V1Pod } from '@kubernetes/client-node';

import { skipReason } from '../../cluster/binaries.ts';
import type { CommandError } from '../../cluster/commands.ts';
import { release } from '../chart.ts';
import { eventually, podsPath } from '../installed.ts';
import { notRewritten } from './poller.ts';
import { policy } from './release.ts';
import { startLife } from './start.ts';

// Much longer than it takes: three of these at once on a busy machine must end by themselves.
tap.setTimeout(600_000);

const { namespace } = release;
const secretsPath = `/api/v1/namespaces/${namespace}/secrets`;
const closed = { failurePolicy: 'Fail' };
const wrongPolicy = { ...policy, rules: [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'miror', as: 'path' } }] };

const withPolicy = (inline: unknown, more: object = {}) => ({ ...closed, rewritePolicy: { inline, ...more } });

/** CAs in a caBundle. */
const bundleSize = (base64: string): number => Buffer.from(base64, 'base64').toString().split('-----BEGIN').length - 1;

const refusal = (attempt: Promise<unknown>): Promise<string> =>
  attempt.then(
    () => 'it was accepted',
    (error: CommandError) => error.stderr,
  );

test('the life of a release under Helm 4', { skip: skipReason({ level: 3 }) }, async (group) => {
  const { plane, node, poller, kubectl, helm, apply } = await startLife(group, 'helm');
  const caBundle = (): Promise<string> =>
    kubectl('get', 'mutatingwebhookconfiguration', 'transship', '-o', 'jsonpath={.webhooks[0].clientConfig.caBundle}');
  const certificate = async (): Promise<string> =>
    kubectl('-n', namespace, 'get', 'secret', 'transship-tls', '-o', 'jsonpath={.data.tls\\.crt}');
  const webhookPods = async (): Promise<readonly V1Pod[]> =>
    (await plane.api.send<{ items: V1Pod[] }>('GET', `${podsPath(namespace)}?labelSelector=app.kubernetes.io/component=webhook`)).body
      .items;

  await group.test('install, and close the gap', async (t) => {
    await apply('install', {});
    await poller.until('rewritten');
    t.same(notRewritten(await poller.during(() => apply('upgrade', closed))), [], 'Ignore to Fail');
  });

  await group.test('upgrade, and back', async (t) => {
    t.same(notRewritten(await poller.during(() => apply('upgrade', { ...closed, logLevel: 'debug' }))), [], 'upgrade');
    t.same(notRewritten(await poller.during(() => helm('rollback', '--wait'))), [], 'rollback');
  });

  await group.test('rotation by hand, as the guide says, and what comes after it', async (t) => {
    const before = await certificate();
    const pods = await poller.during(async () => {
      await kubectl('-n', namespace, 'delete', 'secret', 'transship-tls-ca');
      await eventually('another CA has signed', async () => ![before, ''].includes(await certificate()), 60_000);
      await eventually('the CA before is trusted no more', async () => bundleSize(await caBundle()) === 1, 60_000);
    });
    t.same(notRewritten(pods), []);
    t.same(
      notRewritten(await poller.during(() => apply('upgrade', { ...closed, logLevel: 'warn' }))),
      [],
      'an upgrade: it once failed at a label',
    );
    t.same(notRewritten(await poller.during(() => helm('rollback', '--wait'))), [], 'a rollback');
  });
  await group.test('lost Secrets are recreated without a failed pod', async (t) => {
    for (const names of [['transship-tls'], ['transship-tls', 'transship-tls-ca']]) {
      const pods = await poller.during(async () => {
        await kubectl('-n', namespace, 'delete', 'secret', ...names);
        await eventually('they are there again', async () => {
          const found = await Promise.all(names.map((name) => plane.api.send<{ data?: object }>('GET', `${secretsPath}/${name}`)));
          return found.every(({ body }) => body.data !== undefined);
        });
        await eventually('one CA is left', async () => bundleSize(await caBundle()) === 1, 60_000);
      });
      t.same(notRewritten(pods), [], names.join());
    }
    t.same(notRewritten(await poller.during(() => apply('upgrade', closed))), [], 'an upgrade');
  });

  await group.test('a bad policy', async (t) => {
    const pods = await poller.during(async () => {
      t.match(await refusal(apply('upgrade', withPolicy({ rules: [{ nam: 'hub' }] }))), /nam/, 'an object is checked by its schema');
      t.match(await refusal(apply('upgrade', withPolicy('rules: ['))), /rewritePolicy\.inline is a text that is not a policy/);
      t.match(await refusal(apply('upgrade', withPolicy(wrongPolicy, { check: { enabled: true } }))), /policy-check/, 'the hook Job fails');
      const job = (
        await plane.api.send<{ items: V1Pod[] }>('GET', `${podsPath(namespace)}?labelSelector=app.kubernetes.io/component=policy-check`)
      ).body.items;
      t.match(job[0]?.status?.containerStatuses?.[0]?.state?.terminated?.message, /miror/, 'and the status of its pod says why');
      // The release is marked as failed, and an upgrade goes on from it.
      await apply('upgrade', withPolicy(policy, { check: { enabled: true } }));

      await apply('upgrade', withPolicy(wrongPolicy));
      const [first] = await webhookPods();
      await kubectl('-n', namespace, 'delete', 'pod', first?.metadata?.name ?? '');
      await eventually('a pod that starts with it says why it does not', async () => {
        const messages = (await webhookPods()).flatMap(
          ({ status }) => status?.containerStatuses?.map(({ lastState }) => lastState?.terminated?.message) ?? [],
        );
        return messages.some((message) => message?.includes('miror') === true);
      });
    });
    t.same(notRewritten(pods), [], 'the other pod keeps the policy before');
    t.same(notRewritten(await poller.during(() => helm('rollback', '--wait'))), [], 'a rollback heals');
  });

  await group.test('break glass, and an upgrade brings the configuration back', async (t) => {
    await kubectl('delete', 'mutatingwebhookconfiguration', '-l', 'app.kubernetes.io/part-of=transship');
    await poller.until('as written');
    await apply('upgrade', closed);
    await poller.until('rewritten');
    t.equal(bundleSize(await caBundle()), 1);
  });

  await group.test('a lost namespace: the break-glass line, and install again', async (t) => {
    await kubectl('delete', 'namespace', namespace);
    await poller.until('failed');
    t.match(poller.pods.at(-1)?.message, /transship\.dev/, 'the refusal names the webhook');
    await kubectl('delete', 'mutatingwebhookconfiguration', '-l', 'app.kubernetes.io/part-of=transship');
    await poller.until('as written');

    await plane.createNamespace(namespace);
    await apply('install', {});
    await poller.until('rewritten');
    t.same(notRewritten(await poller.during(() => apply('upgrade', closed))), []);
  });

  await group.test('the controller is refused nothing', async (t) => t.notMatch(node.logs('transship-controller'), /[Ff]orbidden/));

  await group.test('uninstall', async (t) => {
    const pods = await poller.during(async () => {
      await apply('upgrade', {});
      await helm('uninstall', '--wait');
      await poller.until('as written');
    });
    t.same(
      pods.filter(({ outcome }) => outcome === 'failed'),
      [],
      'with Ignore before it, none is refused',
    );
    const left = await kubectl(
      '-n',
      namespace,
      'get',
      'all,secret,configmap,role,rolebinding,mutatingwebhookconfiguration,clusterrole,validatingadmissionpolicy',
      '-l',
      'app.kubernetes.io/instance=transship',
      '-o',
      'name',
    );
    t.equal(left, '', 'nothing of the release is left');
  });
  group.comment(
    `${poller.pods.length} pods polled, ${notRewritten(poller.pods).length} of them not rewritten, all outside of what is promised`,
  );
});
