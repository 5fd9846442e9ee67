/** The breakers on a real API server: pods whose statuses are planted as a kubelet would write them. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1ConfigMap } from '@kubernetes/client-node';
import { test } from 'tap';
import { parse } from 'yaml';

import { skipReason } from '../../cluster/binaries.ts';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { restartApiServer } from '../../cluster/running-program.ts';
import { startLoopback, type Reply } from '../../registry/loopback.ts';
import { atRest } from '../requests.ts';
import {
  change,
  eventsOf,
  eventually,
  metric,
  releaseNamespace,
  runController,
  startForControllers,
  succeed,
  whenReady,
  type Running,
} from '../controllers.ts';
import { createPod, fail, imageOf, mirrored, podPath, refused, waiting } from '../fallback/pods.ts';

const policyWith = (mirror: string): string => `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: ${mirror}
  backup: { host: backup.example }
  local: { hostFrom: { service: { namespace: ${releaseNamespace}, name: local, port: 5000 } } }
  alone: { host: alone.example }
rules:
  - name: hub
    match: { images: [docker.io] }
    rewrite: { registry: mirror, as: path }
    alternatives: [{ registry: backup, as: path }]
  - name: quay
    match: { images: [quay.io] }
    rewrite: { registry: local, as: fullName }
    alternatives: [{ registry: backup, as: fullName }]
  - name: others
    match: { images: [ghcr.io] }
    rewrite: { registry: alone, as: path }
`;
const policy = policyWith('{ host: mirror.example }');
const flags = ['--breaker-pods=3', '--breaker-window=60s'];
const configMap = `/api/v1/namespaces/${releaseNamespace}/configmaps/transship-hosts`;

interface Written {
  readonly hosts: unknown;
  readonly breakers: Record<string, Record<string, unknown>> | undefined;
}

async function written(plane: ControlPlane): Promise<Written | null> {
  const { status, body } = await plane.api.send<V1ConfigMap>('GET', configMap);
  if (status !== 200) return null;
  const texts = [body.data?.['hosts.yaml'], body.data?.['breakers.yaml']];
  const [hosts, breakers] = texts.map((text): unknown => (text === undefined ? undefined : parse(text)));
  return { hosts, breakers: breakers as Written['breakers'] };
}

const stateOf = async (plane: ControlPlane): Promise<unknown> => (await written(plane))?.breakers?.['mirror']?.['state'];

/** What is written when the breaker of the mirror is open: a moment later it may be half-open. */
async function whenOpen(plane: ControlPlane): Promise<Written | null> {
  let file: Written | null = null;
  await eventually('it is open', async () => {
    file = await written(plane);
    return file?.breakers?.['mirror']?.['state'] === 'open';
  });
  return file;
}

let count = 0;
async function failing(plane: ControlPlane, message = refused, image = mirrored('main')): Promise<string> {
  count += 1;
  const name = `failing-${count}`;
  await createPod(plane, name, { image });
  await fail(plane, podPath(name), { containerStatuses: [waiting('main', image, message)] });
  return name;
}

async function running(plane: ControlPlane): Promise<void> {
  count += 1;
  const name = `running-${count}`;
  await createPod(plane, name);
  const state = { running: { startedAt: new Date().toISOString() } };
  const status = { name: 'main', image: mirrored('main'), imageID: 'sha256:0a', ready: true, restartCount: 0, state };
  await change(plane, `${podPath(name)}/status`, { status: { phase: 'Running', containerStatuses: [status] } });
}

async function start(plane: ControlPlane, args: readonly string[], text = policy): Promise<Running> {
  const controller = await runController(plane, { policy: text, args: ['--features=fallback', ...flags, ...args] });
  await whenReady(controller);
  return controller;
}

test('on one cluster', { skip: skipReason({ level: 1, helm: false }) }, async (whole) => {
  const plane = await startForControllers(whole);
  // Long enough to look at it while it is open.
  const interval = '--breaker-interval=5s';
  let controller = await start(plane, [interval]);
  const writes = async (): Promise<number> =>
    (await metric(controller, 'transship_controller_writes_total{kind="configmap",verb="update",result="done"}')) ?? 0;

  await whole.test('images that are missing, passwords that are wrong, and a rule without alternatives open nothing', async (t) => {
    for (const message of ['manifest unknown', '401 Unauthorized']) for (let pods = 0; pods < 4; pods += 1) await failing(plane, message);
    for (let pods = 0; pods < 4; pods += 1) await failing(plane, refused, 'alone.example/main:1');
    await sleep(500);
    t.equal(await written(plane), null, 'nothing is written');
    t.equal(await metric(controller, 'transship_controller_target_available{registry="mirror"}'), 1);
    t.equal(await metric(controller, 'transship_controller_target_available{registry="alone"}'), undefined);
  });

  await whole.test('pods that cannot reach it open it: file, state, event, metrics, and a line while it is ready', async (t) => {
    const name = await failing(plane);
    await change(plane, `${podPath(name)}/status`, { status: { message: 'another write of the same status' } });
    await failing(plane, 'lookup mirror.example: no such host');
    await sleep(300);
    t.equal(await written(plane), null, 'two are not enough');
    await failing(plane, 'x509: certificate signed by unknown authority');
    const file = await whenOpen(plane);
    t.strictSame(file?.hosts, { mirror: { unavailable: true } });
    t.match(file?.breakers, { mirror: { reason: 'tls', failures: 3, intervalSeconds: 5, since: /Z$/, nextTry: /Z$/ } });
    const { status, text } = await controller.get('/readyz');
    t.equal(status, 200);
    t.match(
      text,
      /fallback: registry mirror is unavailable since .*: 3 pods could not pull from it \(tls\); new pods begin with the next target/,
    );
    t.equal(await metric(controller, 'transship_controller_target_available{registry="mirror"}'), 0);
    t.equal(await metric(controller, 'transship_controller_target_transitions_total{registry="mirror",transition="opened"}'), 1);
    await eventually('it is told', async () => (await eventsOf(plane, releaseNamespace, 'TargetUnavailable')).length === 1);
    const { metadata } = await succeed<V1ConfigMap>(plane, 'GET', configMap);
    const [event] = await eventsOf(plane, releaseNamespace, 'TargetUnavailable');
    t.equal(
      event?.regarding?.uid,
      metadata?.uid,
      'that of a ConfigMap that was made for it had no uid, and kubectl describe did not show it',
    );
  });

  await whole.test('after the interval new pods try it, and the first that fails opens it for longer', async (t) => {
    await eventually('it is half-open', async () => (await stateOf(plane)) === 'half-open');
    t.strictSame((await written(plane))?.hosts, {});
    t.notMatch((await controller.get('/readyz')).text, 'is unavailable');
    await failing(plane);
    t.match((await whenOpen(plane))?.breakers, { mirror: { failures: 4, intervalSeconds: 10, reason: 'unreachable' } });
  });

  await whole.test('a leader that is killed leaves the state to the next one, and the API server may be away', async (t) => {
    const before = await written(plane);
    await controller.kill();
    await restartApiServer(plane, () => sleep(500));
    controller = await start(plane, [interval]);
    t.ok(before?.breakers?.['mirror']?.['since']);
    await eventually('it is half-open', async () => (await stateOf(plane)) === 'half-open');
    t.equal((await written(plane))?.breakers?.['mirror']?.['since'], before?.breakers?.['mirror']?.['since']);
    t.equal((await written(plane))?.breakers?.['mirror']?.['failures'], 4);
  });

  await whole.test('the first new pod that runs closes it, and at rest nothing is written', async (t) => {
    await running(plane);
    await eventually('it is closed', async () => (await written(plane))?.breakers === undefined);
    t.strictSame((await written(plane))?.hosts, {});
    await eventually('it is told', async () => (await eventsOf(plane, releaseNamespace, 'TargetAvailable')).length === 1);
    await t.resolves(atRest(plane, writes));
  });

  await whole.test('a registry with probe: true is tried again once it answers the controller', async (t) => {
    await controller.stop();
    let reply: Reply = 'reset';
    const { origin, requests } = await startLoopback(t, () => reply);
    const { port } = new URL(origin);
    controller = await start(plane, ['--breaker-interval=1s'], policyWith(`{ host: 'localhost:${port}', probe: true }`));
    for (let pods = 0; pods < 3; pods += 1) await failing(plane, refused, `localhost:${port}/library/main:1`);
    await eventually('it is open', async () => (await stateOf(plane)) === 'open');
    await eventually('it is asked', async () => requests.length > 0);
    const before = await writes();
    await eventually('it is asked again and again', async () => requests.length > 3);
    t.equal(await stateOf(plane), 'open', 'it does not answer');
    t.equal(await writes(), before, 'and nothing is written meanwhile');
    reply = { status: 401, body: '' };
    await eventually('it is half-open', async () => (await stateOf(plane)) === 'half-open');
    await controller.stop();
  });

  await whole.test(
    'a state that was written by hand, for 2099, ends after its interval: the breaker stayed open, and its timer fired without a pause',
    async (t) => {
      const far = '2099-01-01T00:00:00.000Z';
      const state = { state: 'open', since: far, nextTry: far, intervalSeconds: 2, reason: 'tls', failures: 3 };
      await change(plane, configMap, { data: { 'breakers.yaml': JSON.stringify({ mirror: state }) } });
      controller = await start(plane, ['--breaker-interval=60s']);
      await eventually('it is half-open', async () => (await stateOf(plane)) === 'half-open');
      const since = (await written(plane))?.breakers?.['mirror']?.['since'];
      t.ok(Date.parse(String(since)) <= Date.now());
      await controller.stop();
    },
  );

  await whole.test('a registry that the policy has no longer is forgotten', async (t) => {
    controller = await start(plane, ['--breaker-interval=1s'], policy.replaceAll('mirror', 'other'));
    await eventually('it is gone', async () => (await written(plane))?.breakers === undefined);
    t.strictSame((await written(plane))?.hosts, {});
    await controller.stop();
  });

  await whole.test('with the feature hosts both are in one file, and hosts of another program stay', async (t) => {
    controller = await start(plane, ['--features=hosts,fallback', '--breaker-interval=60s']);
    await succeed(plane, 'POST', `/api/v1/namespaces/${releaseNamespace}/services`, {
      metadata: { name: 'local' },
      spec: { type: 'NodePort', ports: [{ port: 5000, nodePort: 30_500 }] },
    });
    const local = 'localhost:30500/quay.io/main:1';
    // Before the host is known, and it counts.
    for (let pods = 0; pods < 3; pods += 1) await failing(plane, refused, local);
    const both = { local: { host: 'localhost:30500', unavailable: true } };
    await eventually('it is open', async () => JSON.stringify((await written(plane))?.hosts) === JSON.stringify(both));
    await controller.stop();
    controller = await start(plane, ['--breaker-interval=60s']);
    await sleep(500);
    t.strictSame((await written(plane))?.hosts, both);
    await controller.stop();
  });

  await whole.test('without the breaker its marks are taken back, and a dry run only tells', async (t) => {
    controller = await start(plane, ['--breaker-interval=60s', '--breaker=false']);
    await eventually('they are gone', async () => (await written(plane))?.breakers === undefined);
    t.strictSame((await written(plane))?.hosts, { local: 'localhost:30500' });
    for (let pods = 0; pods < 3; pods += 1) await failing(plane);
    await controller.stop();
    t.strictSame((await written(plane))?.hosts, { local: 'localhost:30500' });
    controller = await start(plane, ['--fallback-dry-run=true', '--breaker-interval=60s']);
    for (let pods = 0; pods < 3; pods += 1) await failing(plane);
    await eventually('it is told', async () =>
      (await controller.get('/readyz')).text.includes('without --fallback-dry-run new pods would'),
    );
    t.strictSame((await written(plane))?.hosts, { local: 'localhost:30500' });
    t.match(await imageOf(plane, podPath(`failing-${count}`)), mirrored('main'));
    t.equal(await controller.stop(), 0);
  });
});
