/** What a real API server can answer to a write: when the key is reconciled again, what is counted and what is reported. */
import type { EventsV1Event } from '@kubernetes/client-node';
import { pino } from 'pino';
import { test } from 'tap';

import { connect } from '../../../src/cluster/connection.ts';
import { contentOf, secretOf, type CopyWithContent } from '../../../src/controller/secrets/copy.ts';
import { CopyWriter, type CopyWrite } from '../../../src/controller/secrets/copy-writer.ts';
import type { SecretObject } from '../../../src/controller/secrets/seen-secret.ts';
import { ObservedWatches } from '../../../src/controller/observed-watch.ts';
import type { ReconcilerContext } from '../../../src/controller/reconciler.ts';
import { createControllerMetrics } from '../../../src/controller/metrics.ts';
import { loadPolicy } from '../../../src/config/load.ts';
import { Sources } from '../../../src/controller/secrets/sources.ts';
import { accountKubeconfig } from '../../cluster/account.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane } from '../../cluster/control-plane.ts';
import {
  change,
  createNamespace,
  createSecret,
  dockerConfig,
  eventsOf,
  eventually,
  releaseNamespace,
  remove,
  secretPath,
  succeed,
} from '../controllers.ts';

const content = contentOf(Buffer.from(dockerConfig('one')).toString('base64'));
const owner = 'release.controller';
const desiredIn = (namespace: string): CopyWithContent => ({
  namespace,
  name: 'regcred',
  registry: 'mirror',
  source: 'release/source',
  labels: {},
  annotations: {},
  content,
});
const createIn = (namespace: string): CopyWrite => ({ verb: 'create', desired: desiredIn(namespace) });

test('answers to a write', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startControlPlane(whole);
  const cluster = await connect({ kubeconfig: plane.kubeconfig });
  whole.teardown(() => cluster.close());
  const metrics = createControllerMetrics();
  const log = pino({ level: 'silent' });
  // oxlint-disable-next-line typescript/no-unsafe-type-assertion -- of the options only these are used here
  const context = {
    cluster,
    metrics,
    log,
    watches: new ObservedWatches({ cluster, metrics, log }),
    options: { namespace: releaseNamespace, leaseName: 'controller' },
  } as ReconcilerContext;
  const stopping = new AbortController();
  const writer = new CopyWriter(context, { owner, signal: stopping.signal });
  const counted = async (verb: string, result: string): Promise<number> =>
    (await metrics.writes.get()).values.find(({ labels }) => labels.verb === verb && labels.result === result)?.value ?? 0;
  await createNamespace(plane, releaseNamespace);
  await createNamespace(plane, 'shop');

  await whole.test('a copy that is there already is waited for', async (t) => {
    const made = await writer.write('shop/regcred', createIn('shop'));
    t.match(made, { result: 'untilVersion', version: /^\d+$/ });
    t.same(await writer.write('shop/regcred', createIn('shop')), made, 'ours: the watch will deliver it');
    t.equal(await counted('create', 'conflict'), 1);
  });

  await whole.test('an update or a deletion of what has changed since is refused', async (t) => {
    const present = await succeed<SecretObject>(plane, 'GET', secretPath('shop', 'regcred'));
    await change(plane, secretPath('shop', 'regcred'), { metadata: { annotations: { by: 'somebody' } } });
    const conflict = { result: 'failed' };
    t.same(await writer.write('shop/regcred', { verb: 'update', desired: desiredIn('shop'), present }), conflict);
    t.same(await writer.write('shop/regcred', { verb: 'delete', present }), conflict);
    t.equal(await counted('update', 'conflict'), 1);
    t.equal(await counted('delete', 'conflict'), 1);
    await remove(plane, secretPath('shop', 'regcred'));
    t.same(
      await writer.write('shop/regcred', { verb: 'update', desired: desiredIn('shop'), present }),
      conflict,
      'a patch does not bring back what was deleted',
    );
    t.equal((await plane.api.send('GET', secretPath('shop', 'regcred'))).status, 404);
    const theirs = await createSecret(plane, { namespace: 'shop', name: 'regcred', config: dockerConfig('theirs') });
    await writer.write('shop/regcred', { verb: 'update', desired: desiredIn('shop'), present });
    t.same(
      (await succeed<SecretObject>(plane, 'GET', secretPath('shop', 'regcred'))).metadata?.resourceVersion,
      theirs.metadata?.resourceVersion,
    );
    t.equal(writer.failures.size, 0);
  });

  await whole.test('a namespace that is gone, or going, is no failure', async (t) => {
    await createNamespace(plane, 'going');
    await remove(plane, '/api/v1/namespaces/going');
    const before = await counted('create', 'conflict');
    for (const namespace of ['never-there', 'going'])
      t.same(await writer.write(`${namespace}/regcred`, createIn(namespace)), { result: 'failed' }, namespace);
    t.equal((await counted('create', 'conflict')) - before, 2);
    t.equal(writer.failures.size, 0);
  });

  await whole.test('a quota is a failure that is reported in the namespace once', async (t) => {
    await createNamespace(plane, 'full');
    await succeed(plane, 'POST', '/api/v1/namespaces/full/resourcequotas', {
      metadata: { name: 'none' },
      spec: { hard: { 'count/secrets': '0' } },
    });
    await change(plane, '/api/v1/namespaces/full/resourcequotas/none/status', {
      status: { hard: { 'count/secrets': '0' }, used: { 'count/secrets': '0' } },
    });
    await eventually(
      'the quota counts',
      async () =>
        (await plane.api.send('POST', '/api/v1/namespaces/full/secrets?dryRun=All', secretOf(desiredIn('full'), owner))).status === 403,
    );
    for (let round = 0; round < 3; round++)
      t.match(await writer.write('full/regcred', createIn('full')), { result: 'failed', retryAfter: null });
    t.same([...writer.failures.keys()], ['full/regcred']);
    await eventually('an event', async () => (await notes('full')).length === 1);
    t.match((await notes('full'))[0], /exceeded quota/);
    writer.retain(() => false);
    t.equal(writer.failures.size, 0);
  });

  /** Of this program: the API server records some of its own in default. */
  async function notes(namespace: string): Promise<string[]> {
    const { items } = await succeed<{ items: EventsV1Event[] }>(plane, 'GET', `/apis/events.k8s.io/v1/namespaces/${namespace}/events`);
    return items.flatMap(({ note = '', reportingController }) => (reportingController === 'transship.dev/controller' ? [note] : []));
  }

  await whole.test('a copy that exists and cannot be read once was an event about a deletion, in namespace default', async (t) => {
    await createNamespace(plane, 'unreadable');
    await createSecret(plane, { namespace: 'unreadable', name: 'regcred', config: dockerConfig('theirs') });
    const roles = '/apis/rbac.authorization.k8s.io/v1';
    await succeed(plane, 'POST', '/api/v1/namespaces/unreadable/serviceaccounts', { metadata: { name: 'creator' } });
    await succeed(plane, 'POST', `${roles}/clusterroles`, {
      metadata: { name: 'create-secrets' },
      rules: [
        { apiGroups: [''], resources: ['secrets'], verbs: ['create'] },
        { apiGroups: ['events.k8s.io'], resources: ['events'], verbs: ['create'] },
      ],
    });
    await succeed(plane, 'POST', `${roles}/clusterrolebindings`, {
      metadata: { name: 'create-secrets' },
      roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'ClusterRole', name: 'create-secrets' },
      subjects: [{ kind: 'ServiceAccount', namespace: 'unreadable', name: 'creator' }],
    });
    const creator = await connect({ kubeconfig: await accountKubeconfig(plane, { namespace: 'unreadable', name: 'creator' }) });
    t.teardown(() => creator.close());
    const blind = new CopyWriter({ ...context, cluster: creator }, { owner, signal: stopping.signal });
    const [created, deleted] = [await counted('create', 'failed'), await counted('delete', 'failed')];
    await blind.write('unreadable/regcred', createIn('unreadable'));
    t.same([await counted('create', 'failed'), await counted('delete', 'failed')], [created + 1, deleted]);
    await eventually('an event', async () => (await notes('unreadable')).length > 0);
    t.match(await notes('unreadable'), [/could not be created: GET .*regcred: 403 Forbidden/]);
    t.same(await notes('default'), []);
    t.same([...blind.failures.keys()], ['unreadable/regcred']);
  });

  await whole.test('an API server that is not there holds everything back', async (t) => {
    const nobody = await connect({ kubeconfig: plane.kubeconfig });
    await nobody.close();
    const alone = new CopyWriter({ ...context, cluster: nobody }, { owner, signal: stopping.signal });
    t.match(await alone.write('shop/regcred', createIn('shop')), { result: 'unavailable' });
    t.equal(alone.failures.size, 0, 'it is not the fault of the namespace');
  });

  await whole.test('a token that cannot be had leaves the registry waiting, and the others alone', async (t) => {
    const text = `{apiVersion: transship.dev/v1, kind: RewritePolicy, registries: {
      cloud: {hostFrom: {localRegistryHosting: true}, pullSecrets: [cloud], credentials: {provider: gar}},
      own: {host: reg.example.com, pullSecrets: [own], credentials: {secret: own-source}}}}`;
    const { compiled, findings } = loadPolicy(text, 'policy.yaml');
    if (compiled === null) throw new Error(JSON.stringify(findings));
    await createSecret(plane, { namespace: releaseNamespace, name: 'own-source', config: dockerConfig('own') });
    const sources = new Sources(context, () => {});
    sources.follow(compiled.policy);
    await eventually('the source is read', async () => sources.content('own') !== null);
    t.equal(sources.content('cloud'), null);
    t.match(sources.problems(), [/^registry cloud: no token yet; pods get no credentials of registry cloud: .*for the registry's `host`/]);
    t.equal(sources.problems().length, 1);
    await eventually('an event about the Lease', async () => (await eventsOf(plane, releaseNamespace, 'TokenUnavailable')).length === 1);
    t.match((await eventsOf(plane, releaseNamespace, 'TokenUnavailable'))[0]?.regarding, { kind: 'Lease', name: 'controller' });
    t.match(await metrics.registry.metrics(), 'transship_controller_source_ready{registry="own"} 1');
    t.match(await metrics.registry.metrics(), 'transship_controller_source_ready{registry="cloud"} 0');
    sources.follow({ ...compiled.policy, registries: {} });
    t.equal(sources.content('own'), null);
    t.notMatch(await metrics.registry.metrics(), 'source_ready{');
    await sources.close();
  });

  stopping.abort();
  whole.same(await writer.write('shop/other', createIn('shop')), { result: 'done' }, 'what ends the controller is no failure');
});
