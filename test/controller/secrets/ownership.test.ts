/** Other programs that write pull secrets too, on a real API server: what is theirs is left alone, and what pods still need stays. */
import { writeFileSync } from 'node:fs';
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1Secret } from '@kubernetes/client-node';
import { test } from 'tap';

import { accountKubeconfig } from '../../cluster/account.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import {
  change,
  configOf,
  createNamespace,
  createSecret,
  dockerConfig,
  eventsOf,
  eventually,
  linesOf,
  metric,
  mirrorPolicy,
  releaseNamespace,
  remove,
  runController,
  secretPath,
  setConfig,
  succeed,
  whenReady,
} from '../controllers.ts';

const optedIn = { 'transship.dev/rewrite': 'enabled' };
const first = dockerConfig('first');
const second = dockerConfig('second');
const states = (state: string): string => `transship_controller_copies{registry="mirror",state="${state}"}`;

const pod = (name: string): object => ({
  metadata: { name },
  spec: { imagePullSecrets: [{ name: 'regcred' }], containers: [{ name: 'app', image: 'reg.example.com/app' }] },
});

const read = (plane: ControlPlane, namespace: string, name = 'regcred'): Promise<V1Secret> =>
  succeed<V1Secret>(plane, 'GET', secretPath(namespace, name));

/** What `kubectl get -o yaml | kubectl apply -n` and most replicators make of a Secret. */
const copied = ({ metadata, type, data }: V1Secret, name = 'regcred'): V1Secret => ({
  metadata: {
    name,
    ...(metadata?.labels && { labels: metadata.labels }),
    ...(metadata?.annotations && { annotations: metadata.annotations }),
  },
  ...(type !== undefined && { type }),
  ...(data && { data }),
});

test('other programs', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startControlPlane(whole);
  await createNamespace(plane, releaseNamespace);
  await createSecret(plane, { namespace: releaseNamespace, name: 'mirror-source', config: first });
  await createNamespace(plane, 'shop', optedIn);
  await createNamespace(plane, 'other');
  const controller = await runController(plane, { policy: mirrorPolicy });
  const has = (namespace: string, config: string | null, name = 'regcred'): Promise<number> =>
    eventually(`${namespace}/${name}`, async () => (await configOf(plane, namespace, name)) === config);
  const optIn = (namespace: string): Promise<unknown> =>
    change(plane, `/api/v1/namespaces/${namespace}`, { metadata: { labels: optedIn } });
  await whenReady(controller);
  await has('shop', first);

  await whole.test('copies of a copy: once deleted after 0.2 s, four times a second against a replicator', async (t) => {
    const original = await read(plane, 'shop');
    const backup = await succeed<V1Secret>(plane, 'POST', '/api/v1/namespaces/shop/secrets', copied(original, 'regcred-backup'));
    const replica = await succeed<V1Secret>(plane, 'POST', '/api/v1/namespaces/other/secrets', copied(original));
    await eventually('both are reported', async () => {
      const counts = [await eventsOf(plane, 'other', 'SecretNotOurs'), await eventsOf(plane, 'shop', 'SecretNotOurs')];
      return counts.every(({ length }) => length === 1);
    });
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), second);
    await has('shop', second);
    await sleep(1_500);
    t.equal((await read(plane, 'other')).metadata?.resourceVersion, replica.metadata?.resourceVersion, 'nobody wrote to it');
    t.equal((await read(plane, 'shop', 'regcred-backup')).metadata?.resourceVersion, backup.metadata?.resourceVersion);
    t.match((await eventsOf(plane, 'other', 'SecretNotOurs'))[0], {
      type: 'Normal',
      note: /its annotation transship.dev\/copy names shop\/regcred: it was created by another client and is left as it is/,
    });
    for (const key of ['other/regcred', 'shop/regcred-backup']) {
      const lines = (): object[] => linesOf(controller.log()).filter(({ secret }) => secret === key);
      await eventually(`one log line about ${key}: they are written in batches`, async () => lines().length > 0);
      t.equal(lines().length, 1, key);
    }
    t.equal(await metric(controller, 'transship_controller_writes_total{kind="secret",verb="delete",result="done"}'), undefined);

    // Where a copy is wanted, such a Secret stands in its way like any other.
    await change(plane, '/api/v1/namespaces/other', { metadata: { labels: optedIn } });
    await eventually('it is a conflict now', async () => (await metric(controller, states('foreign'))) === 1);
    t.match((await controller.get('/readyz')).text, 'Secret other/regcred was not written by transship and is left as it is');
    t.equal(await configOf(plane, 'other', 'regcred'), first);
    await change(plane, secretPath('other', 'regcred'), { metadata: { annotations: { 'transship.dev/adopt': 'true' } } });
    await has('other', second);
    const { annotations } = (await read(plane, 'other')).metadata ?? {};
    t.match(annotations, { 'transship.dev/copy': 'other/regcred' });
    t.notOk(Object.hasOwn(annotations ?? {}, 'transship.dev/adopt'));
  });

  await whole.test('a foreign Secret: with the same credentials it is not a problem, and its owner can hand it over', async (t) => {
    const offered = { annotations: { 'transship.dev/adopt': 'true', note: 'kept' } };
    for (const name of ['same', 'offered', 'opaque']) await createNamespace(plane, name);
    await createSecret(plane, { namespace: 'same', name: 'regcred', config: JSON.stringify(JSON.parse(second), null, 2) });
    await createSecret(plane, { namespace: 'offered', name: 'regcred', config: first, metadata: offered });
    await succeed(plane, 'POST', '/api/v1/namespaces/opaque/secrets', { metadata: { name: 'regcred', ...offered } });
    for (const name of ['same', 'offered', 'opaque']) await optIn(name);
    for (const namespace of ['offered', 'opaque'])
      await eventually(`${namespace} is adopted`, async () => (await configOf(plane, namespace, 'regcred')) === second);
    t.match((await read(plane, 'offered')).metadata, { annotations: { note: 'kept' }, labels: { 'transship.dev/registry': 'mirror' } });
    await eventually('the other one is known', async () => (await metric(controller, states('equivalent'))) === 1);
    t.notOk((await read(plane, 'same')).metadata?.labels, 'it is left as it is');
    t.same(await eventsOf(plane, 'same', 'SecretNotOurs'), []);
    t.notMatch((await controller.get('/readyz')).text, 'same/regcred');
  });

  await whole.test('copies of version 0.1.0, which did not name themselves, are taken over where they fit', async (t) => {
    const labels = {
      'app.kubernetes.io/managed-by': 'transship',
      'transship.dev/owner': `${releaseNamespace}.transship-controller`,
      'transship.dev/registry': 'mirror',
    };
    for (const namespace of ['old', 'elsewhere']) {
      await createNamespace(plane, namespace);
      await createSecret(plane, { namespace, name: 'regcred', config: first, metadata: { labels } });
    }
    await optIn('old');
    await has('old', second);
    t.match((await read(plane, 'old')).metadata?.annotations, { 'transship.dev/copy': 'old/regcred' });
    await eventually('the other one is reported', async () => (await eventsOf(plane, 'elsewhere', 'SecretNotOurs')).length === 1);
    t.equal(await configOf(plane, 'elsewhere', 'regcred'), first);
  });

  await whole.test(
    'somebody who writes other content again and again: once four writes a second for ever, and nobody was told',
    async (t) => {
      for (const namespace of ['changed', 'gone']) {
        await createNamespace(plane, namespace, optedIn);
        await has(namespace, second);
      }
      const path = secretPath('changed', 'regcred');
      const patch = { data: { '.dockerconfigjson': Buffer.from(first).toString('base64') } };
      const over = new AbortController();
      const counts = { changes: 0, deletions: 0 };
      const others = (async () => {
        while (!over.signal.aborted) {
          if ((await configOf(plane, 'changed', 'regcred')) === second) {
            counts.changes += 1;
            await plane.api.send('PATCH', `${path}?fieldManager=vault-sync`, patch, 'application/merge-patch+json');
          }
          if ((await configOf(plane, 'gone', 'regcred')) !== null) {
            counts.deletions += 1;
            await plane.api.send('DELETE', secretPath('gone', 'regcred'));
          }
          await sleep(20);
        }
      })();
      await eventually('both disputes are counted', async () => (await metric(controller, states('disputed'))) === 2, {
        limit: 60_000,
        interval: 200,
      });
      t.match((await controller.get('/readyz')).text, 'Secret changed/regcred is repeatedly changed or deleted by another client');
      const before = { ...counts };
      const begin = performance.now();
      await eventually('another repair', async () => counts.changes > before.changes, { limit: 60_000 });
      t.ok(
        counts.changes <= 9 && counts.deletions <= 9,
        `${JSON.stringify(counts)} after ${Math.round(performance.now() - begin)} ms more`,
      );
      over.abort();
      await others;
      const [event, ...more] = await eventsOf(plane, 'changed', 'CopyDisputed');
      t.match(event, { type: 'Warning', note: /^Another client repeatedly changes it \(field manager vault-sync\)/ });
      t.same(more, []);
      t.match(
        (await eventsOf(plane, 'gone', 'CopyDisputed')).map(({ note }) => note),
        [/^Another client repeatedly deletes it/],
      );
    },
  );

  await whole.test('copies that pods name stay: once deleted within 0.2 s of a change of the policy', async (t) => {
    for (const namespace of ['busy', 'idle']) {
      await createNamespace(plane, namespace, optedIn);
      await has(namespace, second);
    }
    for (const namespace of ['busy', 'idle'])
      await eventually(`the account of ${namespace}`, async () => {
        const path = `/api/v1/namespaces/${namespace}/serviceaccounts`;
        return [201, 409].includes((await plane.api.send('POST', path, { metadata: { name: 'default' } })).status);
      });
    await succeed(plane, 'POST', '/api/v1/namespaces/busy/pods', pod('running'));
    await succeed(plane, 'POST', '/api/v1/namespaces/idle/pods', pod('ended'));
    await change(plane, '/api/v1/namespaces/idle/pods/ended/status', { status: { phase: 'Succeeded' } });

    writeFileSync(controller.policyFile, mirrorPolicy.replace('[regcred]', '[newcred]'));
    await has('busy', second, 'newcred');
    await has('idle', null);
    await eventually('the other one is counted', async () => (await metric(controller, states('retained'))) === 1);
    await eventually('it is said', async () => (await eventsOf(plane, 'busy', 'CopyRetained')).length === 1);
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), first);
    await has('busy', first, 'newcred');
    await has('busy', first);
    t.pass('what is retained follows the source, as a token has to');

    writeFileSync(controller.policyFile, mirrorPolicy.replace('    credentials: { secret: mirror-source }\n', ''));
    await eventually('both are retained or gone', async () => (await configOf(plane, 'busy', 'newcred')) === null);
    t.equal(await configOf(plane, 'busy', 'regcred'), first, 'the credentials were taken out of the policy');
    await change(plane, '/api/v1/namespaces/busy', { metadata: { labels: { 'transship.dev/rewrite': 'disabled' } } });
    await sleep(2_500);
    t.equal(await configOf(plane, 'busy', 'regcred'), first, 'the label was taken away');
    await remove(plane, '/api/v1/namespaces/busy/pods/running?gracePeriodSeconds=0');
    await has('busy', null);
  });

  await whole.test('a controller that may not list pods, as with roles of an earlier version, keeps what it cannot judge', async (t) => {
    t.equal(await controller.stop(), 0);
    const groups = [
      { apiGroups: [''], resources: ['secrets', 'namespaces'], verbs: ['*'] },
      { apiGroups: ['coordination.k8s.io', 'events.k8s.io'], resources: ['leases', 'events'], verbs: ['*'] },
    ];
    const roles = '/apis/rbac.authorization.k8s.io/v1';
    const name = 'without-pods';
    await succeed(plane, 'POST', `/api/v1/namespaces/${releaseNamespace}/serviceaccounts`, { metadata: { name } });
    await succeed(plane, 'POST', `${roles}/clusterroles`, { metadata: { name }, rules: groups });
    await succeed(plane, 'POST', `${roles}/clusterrolebindings`, {
      metadata: { name },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name },
      subjects: [{ kind: 'ServiceAccount', namespace: releaseNamespace, name }],
    });
    const kubeconfig = await accountKubeconfig(plane, { namespace: releaseNamespace, name });
    const restricted = await runController(plane, { policy: mirrorPolicy, kubeconfig, args: ['--features', 'secrets'] });
    await whenReady(restricted);
    await has('shop', first);
    await change(plane, '/api/v1/namespaces/shop', { metadata: { labels: { 'transship.dev/rewrite': 'disabled' } } });
    await eventually('it is said', async () => (await eventsOf(plane, 'shop', 'CopyFailed')).length === 1);
    t.match(
      (await eventsOf(plane, 'shop', 'CopyFailed'))[0]?.note,
      /is kept, since the pods that may reference it could not be listed: .*403/,
    );
    t.match(
      (await restricted.get('/readyz')).text,
      'Secret shop/regcred is kept, since the pods that may reference it could not be listed',
    );
    t.equal(await configOf(plane, 'shop', 'regcred'), first);
  });
});
