/** A policy that has errors, or asks for what is switched off: what runs on, and where it is told. */
import { writeFileSync } from 'node:fs';
import { test } from 'tap';

import type { EventsV1Event } from '@kubernetes/client-node';

import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import {
  createNamespace,
  createSecret,
  dockerConfig,
  eventually,
  metric,
  mirrorPolicy,
  releaseNamespace,
  runController,
  secretPath,
  succeed,
  whenReady,
  type Running,
} from './controllers.ts';

const broken = mirrorPolicy.replace('registries:', 'registrys:');
const objects = ['--policy-config-map=own-policy', '--deployment=transship'];

async function createObjects(plane: ControlPlane): Promise<string[]> {
  const labels = { app: 'transship' };
  const template = { metadata: { labels }, spec: { containers: [{ name: 'main', image: 'nginx' }] } };
  const made = [
    await succeed<{ metadata: { uid: string } }>(plane, 'POST', `/api/v1/namespaces/${releaseNamespace}/configmaps`, {
      metadata: { name: 'own-policy' },
    }),
    await succeed<{ metadata: { uid: string } }>(plane, 'POST', `/apis/apps/v1/namespaces/${releaseNamespace}/deployments`, {
      metadata: { name: 'transship' },
      spec: { selector: { matchLabels: labels }, template },
    }),
  ];
  return made.map(({ metadata }) => metadata.uid);
}

async function eventsOf(plane: ControlPlane, reason: string): Promise<EventsV1Event[]> {
  const path = `/apis/events.k8s.io/v1/namespaces/${releaseNamespace}/events?fieldSelector=reason=${reason}`;
  return (await succeed<{ items: EventsV1Event[] }>(plane, 'GET', path)).items;
}

const whenItSays = (controller: Running, pattern: RegExp): Promise<number> =>
  eventually(`/readyz says ${pattern}`, async () => pattern.test((await controller.get('/readyz')).text));

test('a policy with errors', { skip: skipReason({ level: 1 }) }, async (group) => {
  const plane = await startControlPlane(group);
  await createNamespace(plane, releaseNamespace);
  await createNamespace(plane, 'shop', { 'transship.dev/rewrite': 'enabled' });
  await createSecret(plane, { namespace: releaseNamespace, name: 'mirror-source', config: dockerConfig('one') });
  await succeed(plane, 'POST', '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations', { metadata: { name: 'transship' } });
  const uids = await createObjects(plane);
  const controller = await runController(plane, { policy: broken, args: ['--features=certificates,secrets', ...objects] });
  const copy = async (): Promise<number> => (await plane.api.send('GET', secretPath('shop', 'regcred'))).status;

  await group.test('a controller that starts with it once ended, and no certificate was renewed', async (t) => {
    await whenItSays(controller, /^certificates: ready$/m);
    const { status, text } = await controller.get('/readyz');
    t.equal(status, 503);
    t.match(
      text,
      /^policy: the policy is refused; only certificates are maintained until it loads: \S+policy\.yaml:4:1: error: .*registrys/m,
    );
    t.match(text, /^secrets: not ready$/m);
    t.equal((await plane.api.send('GET', secretPath(releaseNamespace, 'transship-tls'))).status, 200);
    t.equal(await copy(), 404);
    await eventually('the events are there', async () => (await eventsOf(plane, 'PolicyRefused')).length === 2);
    const events = await eventsOf(plane, 'PolicyRefused');
    t.same(
      new Set(events.map(({ regarding }) => regarding?.uid)),
      new Set(uids),
      'on the ConfigMap and on the Deployment, where describe finds them',
    );
    t.match(events, [
      { type: 'Warning', note: /registrys/ },
      { type: 'Warning', note: /registrys/ },
    ]);
  });

  await group.test('once it is corrected, the rest starts', async (t) => {
    writeFileSync(controller.policyFile, mirrorPolicy);
    await whenReady(controller);
    await eventually('a copy', async () => (await copy()) === 200);
    t.notMatch((await controller.get('/readyz')).text, /policy:/);
    await eventually('an event', async () => (await eventsOf(plane, 'PolicyLoaded')).length === 2);
    t.equal(await metric(controller, 'transship_controller_policy_reloads_total{result="refused"}'), 1);
  });

  await group.test('a rejected change is reported, and the last good policy stays in force', async (t) => {
    writeFileSync(controller.policyFile, `${mirrorPolicy}rules: [{}]\n`);
    await whenItSays(controller, /^policy: the policy is refused; revision \w+ stays in force: .*policy\.yaml:\d+:\d+: error: /m);
    t.equal((await controller.get('/readyz')).status, 200, 'no restart would mend it');
    await eventually('two more events', async () => (await eventsOf(plane, 'PolicyRefused')).length === 4);
    t.equal(await copy(), 200);
    t.equal(await controller.stop(), 0);
  });

  await group.test('credentials with the feature off were once ignored in silence', async (t) => {
    const off = await runController(plane, { policy: mirrorPolicy, args: ['--features=certificates', ...objects] });
    await whenItSays(off, /^policy: registries mirror have `credentials`, which has no effect: the feature secrets is disabled/m);
    await whenReady(off);
    await eventually('the events are there', async () => (await eventsOf(plane, 'FeatureOff')).length === 2);
    t.match((await eventsOf(plane, 'FeatureOff'))[0]?.note, /Set the chart value controller\.features\.secrets to true/);
    // Log lines are written in batches.
    await eventually('the log line is there', () => Promise.resolve(/the feature secrets is disabled/.test(off.log())));
    t.equal(await off.stop(), 0);
    const args = ['--features=certificates', '--disabled-features=secrets', ...objects];
    const meant = await runController(plane, { policy: mirrorPolicy, args });
    await whenReady(meant);
    t.notMatch((await meant.get('/readyz')).text, /policy:/, 'it is off on purpose');
    t.equal(await meant.stop(), 0);
  });
});
