/** The feature `verify` on a real API server, with real registries. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1ConfigMap } from '@kubernetes/client-node';
import { test } from 'tap';

import { parseStatus, type VerifyStatus } from '../../../src/registry/verify-status.ts';
import { skipReason } from '../../cluster/binaries.ts';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { skipWithoutRegistry, startRegistry } from '../../cluster/registry.ts';
import { htpasswdAuth, pushImage } from '../../registry/distribution/push.ts';
import { startLoopback, type Reply } from '../../registry/loopback.ts';
import { restartApiServer } from '../../cluster/running-program.ts';
import { atRest } from '../requests.ts';
import {
  createSecret,
  eventsOf,
  eventually,
  metric,
  releaseNamespace,
  runController,
  startForControllers,
  secretPath,
  setConfig,
  succeed,
  whenReady,
  type Running,
} from '../controllers.ts';

const skip = skipReason({ level: 1, helm: false }) || skipWithoutRegistry({ regctl: false });
const password = 'correct-horse-battery';
const configMapPath = `/api/v1/namespaces/${releaseNamespace}/configmaps/transship-verify`;

async function createPod(plane: ControlPlane, name: string, images: readonly string[], namespace = 'shop'): Promise<void> {
  await succeed(plane, 'POST', `/api/v1/namespaces/${namespace}/pods`, {
    metadata: { name },
    spec: { automountServiceAccountToken: false, containers: images.map((image, index) => ({ name: `c${index}`, image })) },
  });
}

async function statusOf(plane: ControlPlane): Promise<VerifyStatus | null> {
  const { status, body } = await plane.api.send<V1ConfigMap>('GET', configMapPath);
  return status === 200 ? parseStatus(body.data?.['status.json']) : null;
}

const missingIn = async (plane: ControlPlane): Promise<string[]> => (await statusOf(plane))?.missing.map(({ image }) => image) ?? [];

/** Of the policy below, while no image is missing. */
const allIsThere = ['verify: ready', 'verify: registry late is not asked: its host is not resolved'];

const images = (registry: string, result: string): string =>
  `transship_controller_verify_images{registry="${registry}",result="${result}"}`;
const requests = (registry: string, result: string): string =>
  `transship_controller_verify_requests_total{registry="${registry}",result="${result}"}`;

const linesOf = async (controller: Running): Promise<string[]> =>
  (await controller.get('/readyz')).text.split('\n').filter((line) => line.startsWith('verify:'));

test('on one cluster', { skip }, async (whole) => {
  const plane = await startForControllers(whole);
  const mirror = await startRegistry(whole);
  const backup = await startRegistry(whole, htpasswdAuth(whole, 'robot', password));
  const authorization = `Basic ${Buffer.from(`robot:${password}`).toString('base64')}`;
  const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: '${mirror}/hub', verify: true }
  backup: { host: '${backup}', verify: true, pullSecrets: [backup-pull], credentials: { secret: backup-account } }
  quiet: { host: quiet.example.com }
  late: { hostFrom: { localRegistryHosting: true }, verify: true }
rules:
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: mirror, as: path }
    alternatives: [{ registry: backup, as: path }]
  - name: quay
    match: { images: [quay.io] }
    rewrite: { registry: quiet, as: path }
`;
  const start = async (): Promise<Running> => {
    const started = await runController(plane, { policy, args: ['--features=verify'] });
    await whenReady(started);
    return started;
  };
  await pushImage(mirror, 'hub/library/there', '1');
  await pushImage(backup, 'library/there', '1', authorization);
  await pushImage(backup, 'library/app', '1', authorization);
  const secret = { namespace: releaseNamespace, name: 'backup-account', username: 'robot' };
  const configOf = (word: string): string => JSON.stringify({ auths: { [backup]: { username: 'robot', password: word } } });
  await createSecret(plane, { ...secret, config: configOf('wrong') });
  let controller = await start();

  await whole.test('nothing to tell: nothing is written', async (t) => {
    t.strictSame(await linesOf(controller), allIsThere);
    t.equal(await statusOf(plane), null);
  });

  await whole.test('an image that is missing is told within seconds', async (t) => {
    await createPod(plane, 'web', ['app:1', 'there:1', 'quay.io/acme/app:1']);
    await createPod(plane, 'elsewhere', ['hidden:1'], 'other');
    await eventually('it is written', async () => (await missingIn(plane)).length === 1);
    const status = await statusOf(plane);
    t.match(status, {
      missing: [{ image: `${mirror}/hub/library/app:1`, registry: 'mirror', source: 'app:1', since: /^\d{4}-.*Z$/ }],
      more: 0,
      leftOut: 0,
    });
    t.equal(await metric(controller, images('mirror', 'missing')), 1);
    await eventually('the other one is there', async () => (await metric(controller, images('mirror', 'present'))) === 1);
    t.notOk((await metric(controller, images('quiet', 'unchecked'))) !== undefined, 'a registry without verify is not asked');
    await eventually('an event', async () => (await eventsOf(plane, releaseNamespace, 'ImageMissing')).length === 1);
    const [event] = await eventsOf(plane, releaseNamespace, 'ImageMissing');
    t.match(event, { type: 'Warning', regarding: { kind: 'ConfigMap', name: 'transship-verify', uid: /./ } });
    t.equal(event?.note, `registry mirror lacks an image that pods need: ${mirror}/hub/library/app:1.`);
    t.ok((await linesOf(controller)).includes(`verify: registry mirror lacks an image that pods need: ${mirror}/hub/library/app:1`));
  });

  await whole.test('a wrong password is told, and a right one is used at once', async (t) => {
    await eventually('refused', async () => (await metric(controller, images('backup', 'unauthorized'))) === 2);
    await eventually('it is written', async () => (await statusOf(plane))?.problems.length === 1);
    t.match((await statusOf(plane))?.problems, [
      { registry: 'backup', result: 'unauthorized', reason: new RegExp(`^${backup} answered 401 for ${backup}/library/(app|there):1$`) },
    ]);
    const source = secretPath(releaseNamespace, 'backup-account');
    await setConfig(plane, source, '{"auths":[]}');
    const unreadable = `verify: registry backup: Secret ${releaseNamespace}/backup-account has a .dockerconfigjson that has auths that is not an object`;
    await eventually('it is told', async () => (await linesOf(controller)).some((line) => line.startsWith(unreadable)));
    await setConfig(plane, source, configOf(password));
    await eventually('both are there', async () => (await metric(controller, images('backup', 'present'))) === 2);
    await eventually('it is written', async () => (await statusOf(plane))?.problems.length === 0);
  });

  await whole.test('at rest nothing is written', (t) => t.resolves(atRest(plane)));

  await whole.test('another leader keeps the time', async (t) => {
    const before = (await statusOf(plane))?.missing;
    const version = (await succeed<V1ConfigMap>(plane, 'GET', configMapPath)).metadata?.resourceVersion;
    await controller.stop();
    controller = await start();
    await eventually('asked again', async () => ((await metric(controller, requests('mirror', 'missing'))) ?? 0) > 0);
    t.strictSame((await statusOf(plane))?.missing, before);
    t.equal((await succeed<V1ConfigMap>(plane, 'GET', configMapPath)).metadata?.resourceVersion, version, 'and writes nothing');
  });

  await whole.test('the API server goes and comes back', async (t) => {
    await restartApiServer(plane, () => sleep(500));
    await createPod(plane, 'after', ['after:1']);
    await eventually('a pod after it is seen', async () => (await missingIn(plane)).includes(`${mirror}/hub/library/after:1`));
    await succeed(plane, 'DELETE', '/api/v1/namespaces/shop/pods/after?gracePeriodSeconds=0');
    await eventually('it goes with its pod', async () => (await missingIn(plane)).length === 1);
    t.equal(await metric(controller, images('mirror', 'missing')), 1);
  });

  await whole.test('a status that somebody deletes is written again', async () => {
    await succeed(plane, 'DELETE', configMapPath);
    await eventually('it is there', async () => (await missingIn(plane)).length === 1);
  });

  await whole.test('once it is pushed, it is cleared', async (t) => {
    await pushImage(mirror, 'hub/library/app', '1');
    await eventually('nothing is missing', async () => (await statusOf(plane))?.missing.length === 0, { limit: 60_000 });
    t.equal(await metric(controller, images('mirror', 'missing')), 0);
    t.equal(await metric(controller, images('mirror', 'present')), 2);
    t.strictSame(await linesOf(controller), allIsThere);
  });
});

test('off, then on with a registry that asks for fewer requests, does not answer, and answers', { skip }, async (t) => {
  const plane = await startForControllers(t);
  const retryAfter = 6;
  let reply: Reply = { status: 429, headers: { 'retry-after': String(retryAfter) }, body: '' };
  /** When a request came, on the monotonic clock. */
  const times: number[] = [];
  const server = await startLoopback(t, () => {
    times.push(performance.now());
    return reply;
  });
  const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: '${server.host}', verify: true }
rules:
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: mirror, as: path }
`;
  await createPod(
    plane,
    'web',
    Array.from({ length: 20 }, (_, index) => `app-${index}:1`),
  );

  const off = await runController(plane, { policy, args: ['--features=secrets', '--policy-config-map=policy'] });
  await whenReady(off);
  await eventually('it is told', async () => (await eventsOf(plane, releaseNamespace, 'FeatureOff')).length === 1);
  const [event] = await eventsOf(plane, releaseNamespace, 'FeatureOff');
  t.equal(
    event?.note,
    'registries mirror have `verify`, which has no effect: the feature verify is disabled. Set the chart value controller.features.verify to true to ask them for the images of pods.',
  );
  t.equal(await metric(off, 'transship_controller_watch_age_seconds{watch="pods"}'), undefined);
  t.strictSame(server.requests, []);
  t.equal(await statusOf(plane), null);
  await off.stop();

  const controller = await runController(plane, { policy, args: ['--features=verify'] });
  await whenReady(controller);
  await eventually('it is written', async () => (await statusOf(plane))?.problems[0]?.result === 'too-many-requests');
  t.equal(await metric(controller, images('mirror', 'unchecked')), 20);
  reply = 'reset';
  await eventually('it is written', async () => (await statusOf(plane))?.problems[0]?.result === 'unreachable', { limit: 60_000 });
  t.match(await linesOf(controller), [/ready/, new RegExp(`registry mirror: ${server.host}: it closed the connection`)]);
  const [first = 0, ...later] = times;
  const early = later.filter((time) => time - first < retryAfter * 1000).length;
  t.ok(early <= 1, `two at a time were asked, and nothing until the time was over: ${early + 1}`);
  reply = { status: 404, body: '' };
  await eventually('all are missing', async () => (await missingIn(plane)).length === 20, { limit: 60_000 });
  t.strictSame((await statusOf(plane))?.problems, []);
});
