/** Pull secrets on a real API server: every way in which a copy can become wrong, and how long it stays so. */
import { writeFileSync } from 'node:fs';

import type { EventsV1Event, V1Lease, V1Secret } from '@kubernetes/client-node';
import { test } from 'tap';

import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { restartApiServer } from '../../cluster/running-program.ts';
import {
  change,
  configOf,
  createNamespace,
  createSecret,
  dockerConfig,
  eventsOf,
  eventually,
  metric,
  mirrorPolicy,
  releaseNamespace,
  remove,
  runController,
  secretPath,
  setConfig,
  succeed,
  whenReady,
  type Running,
} from '../controllers.ts';

const policy = `${mirrorPolicy}  teams:
    host: teams.example.com
    pullSecrets: [teamcred]
    credentials: { secret: team-source }
    namespaces: [team-*]
`;
const states = (state: string): string => `transship_controller_copies{registry="mirror",state="${state}"}`;
const optedIn = { 'transship.dev/rewrite': 'enabled' };
const first = dockerConfig('first-password-PLANTED');
const second = dockerConfig('second-password-PLANTED');

test('copies follow', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startControlPlane(whole);
  await createNamespace(plane, releaseNamespace);
  await createSecret(plane, { namespace: releaseNamespace, name: 'mirror-source', config: first });
  const controller = await runController(plane, { policy });
  const has = (namespace: string, name: string, config: string | null): Promise<number> =>
    eventually(`${namespace}/${name}`, async () => (await configOf(plane, namespace, name)) === config);
  const timed = (what: string, milliseconds: number): void => whole.comment(`${what}: ${(milliseconds / 1000).toFixed(2)} s`);
  timed('ready', await whenReady(controller));

  await whole.test('into a namespace that is created opted in, and not those of another registry', async (t) => {
    await createNamespace(plane, 'shop', optedIn);
    const seconds = await has('shop', 'regcred', first);
    timed('new namespace', seconds);
    const { metadata, type } = await succeed<V1Secret>(plane, 'GET', secretPath('shop', 'regcred'));
    t.match(metadata?.labels, {
      'app.kubernetes.io/managed-by': 'transship',
      'transship.dev/owner': `${releaseNamespace}.transship-controller`,
      'transship.dev/registry': 'mirror',
    });
    t.match(metadata?.annotations, { 'transship.dev/copy': 'shop/regcred', 'transship.dev/copy-of': `${releaseNamespace}/mirror-source` });
    t.equal(type, 'kubernetes.io/dockerconfigjson');
    t.equal(await configOf(plane, 'shop', 'teamcred'), null);
    t.equal(await configOf(plane, 'default', 'regcred'), null);
  });

  await whole.test('when a label comes and goes', async (t) => {
    await createNamespace(plane, 'later');
    await change(plane, '/api/v1/namespaces/later', { metadata: { labels: { 'transship.dev/rewrite': 'shadow' } } });
    timed('opt-in by label', await has('later', 'regcred', first));
    await change(plane, '/api/v1/namespaces/later', { metadata: { labels: { 'transship.dev/rewrite': null } } });
    timed('opt-out', await has('later', 'regcred', null));
    t.equal(await configOf(plane, 'shop', 'regcred'), first);
  });

  await whole.test('the source, and stay while it is missing or broken', async (t) => {
    const path = secretPath(releaseNamespace, 'mirror-source');
    await setConfig(plane, path, second);
    timed('source edited', await has('shop', 'regcred', second));
    await remove(plane, path);
    await logged(controller, 'copies keep the last credentials');
    t.equal(await metric(controller, 'transship_controller_source_ready{registry="mirror"}'), 0);
    t.match((await controller.get('/readyz')).text, 'registry mirror: Secret transship-system/mirror-source does not exist');
    await createSecret(plane, {
      namespace: releaseNamespace,
      name: 'mirror-source',
      config: '{"auths":{"reg.example.com":{"auth":"broken-PLANTED"}}}',
    });
    await eventually('the broken source is told', async () =>
      (await eventsOf(plane, releaseNamespace, 'SourceUnreadable')).some(
        ({ note }) => note?.includes('not base64 of user:password') === true,
      ),
    );
    t.equal(await configOf(plane, 'shop', 'regcred'), second);
    await setConfig(plane, path, first);
    timed('source repaired', await has('shop', 'regcred', first));

    const elsewhere = dockerConfig('second-password-PLANTED', 'REG.example.com');
    await setConfig(plane, path, elsewhere);
    await has('shop', 'regcred', elsewhere);
    // It is written beside the copies, and may come later.
    const mismatches = (): Promise<EventsV1Event[]> => eventsOf(plane, releaseNamespace, 'SourceMismatch');
    await eventually('the mismatch is told', async () => (await mismatches()).length > 0);
    t.match(
      (await mismatches())[0]?.note,
      /no entry of Secret .*mirror-source is for reg.example.com: .* the keys are "REG.example.com"; pods pull .* without credentials/,
    );
    t.match((await controller.get('/readyz')).text, 'registry mirror: no entry of Secret');
    await setConfig(plane, path, first);
    await has('shop', 'regcred', first);
    t.notMatch((await controller.get('/readyz')).text, 'no entry of Secret');
  });

  await whole.test('when somebody deletes or edits them', async (t) => {
    const path = secretPath('shop', 'regcred');
    await remove(plane, path);
    timed('copy deleted by hand', await has('shop', 'regcred', first));
    await setConfig(plane, path, second);
    timed('copy edited by hand', await has('shop', 'regcred', first));
    await change(plane, path, { metadata: { annotations: { 'transship.dev/content': 'nonsense', 'their.example.com/note': 'kept' } } });
    await eventually(
      'the annotation is ours again',
      async () => (await annotationsOf(plane, 'shop', 'regcred'))['transship.dev/content'] !== 'nonsense',
    );
    t.equal((await annotationsOf(plane, 'shop', 'regcred'))['their.example.com/note'], 'kept');
    await change(plane, path, { immutable: true });
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), second);
    timed('immutable copy made anew', await has('shop', 'regcred', second));
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), first);
    await has('shop', 'regcred', first);
  });

  await whole.test('but never over a foreign Secret', async (t) => {
    await createNamespace(plane, 'foreign');
    const made = await createSecret(plane, { namespace: 'foreign', name: 'regcred', config: dockerConfig('their-own-PLANTED') });
    await change(plane, '/api/v1/namespaces/foreign', { metadata: { labels: optedIn } });
    await eventually('an event says so', async () => (await eventsOf(plane, 'foreign', 'SecretNotOurs')).length === 1);
    t.equal(await metric(controller, states('foreign')), 1);
    t.match((await controller.get('/readyz')).text, 'Secret foreign/regcred was not written by transship');
    await change(plane, '/api/v1/namespaces/foreign', { metadata: { labels: { 'transship.dev/rewrite': 'disabled' } } });
    await eventually('it is no trouble any more', async () => (await metric(controller, states('foreign'))) === 0);
    const { metadata } = await succeed<V1Secret>(plane, 'GET', secretPath('foreign', 'regcred'));
    t.equal(metadata?.resourceVersion, made.metadata?.resourceVersion, 'nobody wrote to it');
  });

  await whole.test('nor over a copy whose labels were removed', async (t) => {
    await change(plane, secretPath('shop', 'regcred'), { metadata: { labels: { 'transship.dev/owner': null } } });
    await eventually('it is known as such', async () => (await metric(controller, states('equivalent'))) === 1);
    t.same(await eventsOf(plane, 'shop', 'SecretNotOurs'), [], 'the content is the same, so it is no trouble');
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), second);
    await createNamespace(plane, 'witness', optedIn);
    await has('witness', 'regcred', second);
    t.equal(await configOf(plane, 'shop', 'regcred'), first);
    await remove(plane, secretPath('shop', 'regcred'));
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), first);
    await has('witness', 'regcred', first);
    await change(plane, '/api/v1/namespaces/shop', { metadata: { labels: { 'transship.dev/rewrite': 'disabled' } } });
    await createNamespace(plane, 'second-witness', optedIn);
    await has('second-witness', 'regcred', first);
    await change(plane, '/api/v1/namespaces/shop', { metadata: { labels: optedIn } });
    timed('opted in again, which ends the rest of a Secret that was foreign', await has('shop', 'regcred', first));
  });

  await whole.test('the policy, and a broken one changes nothing', async (t) => {
    const unmatched = 'registry teams: no namespace matches its namespaces';
    t.match((await controller.get('/readyz')).text, unmatched);
    const told = await eventsOf(plane, releaseNamespace, 'NoMatchingNamespace');
    t.equal(told.length, 1);
    t.match(told[0]?.regarding, { kind: 'Lease', uid: /./ }, 'it had no uid, and kubectl describe did not show it');
    await createSecret(plane, { namespace: releaseNamespace, name: 'team-source', config: second });
    await createNamespace(plane, 'team-a');
    timed('source created, by name of the namespace', await has('team-a', 'teamcred', second));
    t.notMatch((await controller.get('/readyz')).text, unmatched);
    writeFileSync(controller.policyFile, 'registries: [');
    await logged(controller, 'the last good one stays in force');
    t.equal(await configOf(plane, 'team-a', 'teamcred'), second);
    writeFileSync(controller.policyFile, policy.replace('namespaces: [team-*]', 'namespaces: [team-b, transship-*]'));
    timed('namespace removed from the policy', await has('team-a', 'teamcred', null));
    timed('namespace added to the policy', await has(releaseNamespace, 'teamcred', second));
    writeFileSync(controller.policyFile, mirrorPolicy);
    timed('registry removed from the policy', await has(releaseNamespace, 'teamcred', null));
    t.equal(await configOf(plane, releaseNamespace, 'team-source'), second, 'a source is never deleted');
    t.equal(await configOf(plane, 'witness', 'regcred'), first);
  });

  await whole.test('a namespace that is deleted takes its copies with it, without an error', async (t) => {
    await createNamespace(plane, 'doomed', optedIn);
    await has('doomed', 'regcred', first);
    await remove(plane, '/api/v1/namespaces/doomed');
    await remove(plane, secretPath('doomed', 'regcred'));
    await succeed(plane, 'PUT', '/api/v1/namespaces/doomed/finalize', {
      apiVersion: 'v1',
      kind: 'Namespace',
      metadata: { name: 'doomed' },
      spec: { finalizers: [] },
    });
    await createNamespace(plane, 'after', optedIn);
    await has('after', 'regcred', first);
    t.equal(await metric(controller, states('failed')), 0);
    t.notMatch(controller.log(), /doomed.*could not be written/);
  });

  await whole.test('an API server that was killed and came back', async () => {
    await restartApiServer(plane, () =>
      eventually('the watches notice', async () => controller.log().includes('a watch was interrupted')).then(() => {}),
    );
    const begin = performance.now();
    await createNamespace(plane, 'restarted', optedIn);
    await setConfig(plane, secretPath(releaseNamespace, 'mirror-source'), second);
    await has('restarted', 'regcred', second);
    await has('shop', 'regcred', second);
    timed('API server restarted', performance.now() - begin);
    await eventually('no copy has failed', async () => (await metric(controller, states('failed'))) === 0);
  });

  await whole.test('without a password in a log line, an event or a metric', async (t) => {
    const { body } = await plane.api.send<{ items: { note?: string }[] }>('GET', '/apis/events.k8s.io/v1/events');
    t.ok(body.items.length > 0);
    const metrics = await controller.get('/metrics');
    const texts = [controller.log(), JSON.stringify(body.items), metrics.text];
    const planted = [
      'PLANTED',
      ...['first-password', 'second-password', 'their-own'].flatMap((word) => [
        word,
        Buffer.from(`robot:${word}-PLANTED`).toString('base64').slice(0, 16),
      ]),
    ];
    for (const word of planted) for (const text of texts) t.notOk(text.includes(word), word);
  });

  await whole.test('SIGTERM gives the lease up and deletes nothing', async (t) => {
    t.equal(await controller.stop(), 0);
    const { spec } = await succeed<V1Lease>(
      plane,
      'GET',
      `/apis/coordination.k8s.io/v1/namespaces/${releaseNamespace}/leases/transship-controller`,
    );
    t.equal(spec?.holderIdentity ?? '', '');
    t.equal(await configOf(plane, 'shop', 'regcred'), second);
  });
});

const logged = (controller: Running, text: string): Promise<number> =>
  eventually(`a log line with "${text}"`, async () => controller.log().includes(text));

async function annotationsOf(plane: ControlPlane, namespace: string, name: string): Promise<Record<string, string>> {
  const { metadata } = await succeed<V1Secret>(plane, 'GET', secretPath(namespace, name));
  return metadata?.annotations ?? {};
}
