/**
 * A mirror goes down under many pods at once, and everything else goes wrong as well: controllers killed, suspended and replaced, pods
 * deleted, the API server restarted. With more pods than 200:
 *
 * TRANSSHIP_FALLBACK_PODS=1000 npx tap --disable-coverage --timeout=1500 test/controller/fallback/storm.test.ts
 */
import { setTimeout as sleep } from 'node:timers/promises';

import type { EventsV1EventList, V1Job, V1Pod, V1PodList } from '@kubernetes/client-node';
import tap, { test, type Test } from 'tap';

import { planFallback } from '../../../src/controller/fallback/fallback-plan.ts';
import { patchOf, recordOf } from '../../../src/controller/fallback/step-patch.ts';
import { seenPod } from '../../../src/controller/fallback/seen-pod.ts';
import { loadPolicy } from '../../../src/config/load.ts';
import { accountKubeconfig } from '../../cluster/account.ts';
import { skipReason } from '../../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../../cluster/control-plane.ts';
import { runningProcesses } from '../../cluster/command-lines.ts';
import { restartApiServer } from '../../cluster/running-program.ts';
import { auditLog, type AuditEvent } from '../audit-log.ts';
import { atRest } from '../requests.ts';
import { createNamespace, eventually, releaseNamespace, runController, succeed, type Running } from '../controllers.ts';
import { backup, mirrored } from './pods.ts';

const count = Number(process.env['TRANSSHIP_FALLBACK_PODS'] ?? 200);
/** Of src/controller/fallback/fallback.ts. */
const bounds = { perSecond: 5, burst: 10 };
/** A pod each 200 ms, and as much again for the faults. */
const patience = { limit: 120_000 + count * 600, interval: 200 };
tap.setTimeout(240_000 + count * 600);

const policy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example }, backup: { host: backup.example } }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path }, alternatives: [{ registry: backup, as: path }] }
`;

/** As the webhook leaves it. */
const template = (app: string, more: object = {}): object => ({
  metadata: { labels: { app }, annotations: { 'transship.dev/original-images': JSON.stringify({ main: 'main:1' }) } },
  spec: { automountServiceAccountToken: false, containers: [{ name: 'main', image: mirrored('main') }], ...more },
});

async function createWorkloads(plane: ControlPlane): Promise<void> {
  await succeed(plane, 'POST', '/apis/apps/v1/namespaces/shop/deployments', {
    metadata: { name: 'many' },
    spec: { replicas: count, selector: { matchLabels: { app: 'many' } }, template: template('many') },
  });
  await succeed(plane, 'POST', '/apis/batch/v1/namespaces/shop/jobs', {
    metadata: { name: 'once' },
    spec: { backoffLimit: 0, template: template('once', { restartPolicy: 'Never' }) },
  });
}

const podsOf = async (plane: ControlPlane): Promise<readonly V1Pod[]> =>
  (await succeed<V1PodList>(plane, 'GET', '/api/v1/namespaces/shop/pods?labelSelector=app%3Dmany')).items;
const imageOf = ({ spec }: V1Pod): string | undefined => spec?.containers[0]?.image;
const isMoved = (pod: V1Pod): boolean => imageOf(pod) === backup('main');
const isWaiting = ({ status }: V1Pod): boolean =>
  /ErrImagePull|ImagePullBackOff/.test(status?.containerStatuses?.[0]?.state?.waiting?.reason ?? '');

/** Of a controller that `runController` started. */
function processOf({ policyFile }: Running): number {
  const found = runningProcesses().find(({ words }) => words[0] === process.execPath && words.slice(1).includes(policyFile));
  if (found === undefined) throw new Error(`no process has ${policyFile}`);
  return found.pid;
}

const leads = async (controller: Running): Promise<boolean> => (await controller.get('/readyz')).text.startsWith('leading');

interface Storm {
  readonly plane: ControlPlane;
  readonly start: (name: string) => Promise<Running>;
  readonly moved: () => Promise<number>;
  readonly patches: () => readonly AuditEvent[];
  readonly eventWrites: () => readonly AuditEvent[];
  readonly leaseWrites: () => readonly AuditEvent[];
  /** Of the ConfigMap that says which registries are unavailable. */
  readonly markWrites: () => readonly AuditEvent[];
}

async function prepare(t: Test): Promise<Storm> {
  const audit = auditLog(t.testdir({}));
  const plane = await startControlPlane(t, { level: 3, unreachable: 'mirror.example', apiServerArgs: audit.apiServerArgs });
  await createNamespace(plane, releaseNamespace);
  await plane.createNamespace('shop', { 'transship.dev/rewrite': 'enabled' });
  const written = (resource: string): AuditEvent[] => audit.events().filter(({ objectRef }) => objectRef.resource === resource);
  return {
    plane,
    start: async (name) => {
      await plane.kubectl(['-n', releaseNamespace, 'create', 'serviceaccount', name]);
      const account = `--serviceaccount=${releaseNamespace}:${name}`;
      await plane.kubectl(['create', 'clusterrolebinding', name, '--clusterrole=cluster-admin', account]);
      const kubeconfig = await accountKubeconfig(plane, { namespace: releaseNamespace, name });
      return runController(plane, { policy, kubeconfig, args: ['--features=fallback', '--breaker-interval=1h'] });
    },
    moved: async () => (await podsOf(plane)).filter(isMoved).length,
    patches: () => written('pods'),
    eventWrites: () => written('events'),
    leaseWrites: () => written('leases'),
    markWrites: () => written('configmaps'),
  };
}

const nameOf = ({ user }: AuditEvent): string => user.username.split(':').at(-1) ?? '';
const timeOf = ({ requestReceivedTimestamp }: AuditEvent): number => Date.parse(requestReceivedTimestamp);
const succeeded = (events: readonly AuditEvent[]): AuditEvent[] =>
  events.filter(({ responseStatus }) => responseStatus.code < 300).toSorted((a, b) => timeOf(a) - timeOf(b));

/** An API server that has just been started may not have read the roles yet, and forbids what they allow. */
const isForbidden = ({ responseStatus, annotations }: AuditEvent): boolean =>
  responseStatus.code === 403 && annotations?.['authorization.k8s.io/decision'] === 'forbid';

/** Moves of somebody who was not the last to write the Lease. The same one may lead twice: while the API server is away, all lose the Lease. */
const outOfTurn = (moves: readonly AuditEvent[], leaseWrites: readonly AuditEvent[]): AuditEvent[] =>
  moves.filter((move) => {
    const last = leaseWrites.findLast((write) => timeOf(write) <= timeOf(move));
    return last === undefined || nameOf(last) !== nameOf(move);
  });

/** How many more than the rate allows were sent by one controller in any period. */
function excess(events: readonly AuditEvent[]): number {
  const times = events.map(timeOf);
  const over = times.flatMap((from, first) =>
    times.slice(first).map((until, index) => index + 1 - bounds.burst - ((until - from) / 1000) * bounds.perSecond),
  );
  return Math.max(0, ...over);
}

test('a mirror is down under many pods', { skip: skipReason({ level: 3, helm: false }) }, async (t) => {
  const { plane, start, moved, patches, eventWrites, leaseWrites, markWrites } = await prepare(t);
  await createWorkloads(plane);
  await eventually('all pods wait', async () => (await podsOf(plane)).filter(isWaiting).length === count, patience);
  const stale = await podsOf(plane);

  const first = await start('first');
  await eventually('the first has moved some', async () => (await moved()) >= count / 10, patience);
  await first.kill();
  const doomed = (await podsOf(plane)).filter((pod) => !isMoved(pod)).slice(0, count / 20);
  for (const { metadata } of doomed) await succeed(plane, 'DELETE', `/api/v1/namespaces/shop/pods/${metadata?.name}?gracePeriodSeconds=0`);

  const others = [await start('second'), await start('third')] as const;
  await eventually('another one has moved some', async () => (await moved()) >= (count * 3) / 10, patience);
  const [suspended, next] = (await leads(others[0])) ? others : [others[1], others[0]];
  const suspendedProcess = processOf(suspended);
  process.kill(suspendedProcess, 'SIGSTOP');
  await eventually('the next one leads', () => leads(next), patience);
  const before = await moved();
  await eventually('the next one has moved some', async () => (await moved()) >= before + count / 20, patience);
  process.kill(suspendedProcess, 'SIGCONT');
  await eventually('the one that was suspended stands by', async () => !(await leads(suspended)), patience);

  await restartApiServer(plane, () => sleep(1_000));
  await eventually(
    'all pods run',
    async () => {
      const pods = await podsOf(plane);
      return pods.length === count && pods.every((pod) => isMoved(pod) && pod.status?.phase === 'Running');
    },
    patience,
  );
  await eventually('the Job is complete', async () => {
    const { status } = await succeed<V1Job>(plane, 'GET', '/apis/batch/v1/namespaces/shop/jobs/once');
    t.notOk(status?.failed, 'no pod of it has failed');
    return status?.succeeded === 1;
  });

  const moves = succeeded(patches());
  t.equal(new Set(moves.map(({ objectRef }) => objectRef.name)).size, moves.length, 'no pod was written twice');
  for (const { metadata } of await podsOf(plane))
    t.match(JSON.parse(metadata?.annotations?.['transship.dev/fallback'] ?? '{}'), { main: { step: 1, to: backup('main') } });
  t.same(outOfTurn(moves, succeeded(leaseWrites())), [], 'never two writers at once');
  const writers = new Set(moves.map(nameOf));
  t.equal(writers.size, 3);
  // Requests that were late came closer together than they were sent.
  for (const writer of writers) t.ok(excess(moves.filter((event) => nameOf(event) === writer)) < bounds.burst, `the rate of ${writer}`);
  const refusedWrites = patches().filter(({ responseStatus }) => responseStatus.code !== 200);
  const forbidden = refusedWrites.filter(isForbidden);
  t.same(
    refusedWrites.filter(
      (event) => ![409, 404].includes(event.responseStatus.code) && event.responseStatus.code < 500 && !isForbidden(event),
    ),
    [],
  );
  const events = eventWrites().filter(({ responseStatus }) => responseStatus.code === 201);
  t.comment(`${count} pods: ${moves.length} patches, ${refusedWrites.length} refused as conflicts, ${events.length} events`);
  t.ok(events.length <= moves.length + forbidden.length + 3, 'one event a pod, and none in a loop');

  await t.test('the breaker of the mirror opened once, whoever led', async (tt) => {
    tt.equal(markWrites().filter(({ responseStatus }) => responseStatus.code < 300).length, 1);
    const path = `/apis/events.k8s.io/v1/namespaces/${releaseNamespace}/events?fieldSelector=reason%3DTargetUnavailable`;
    const { items } = await succeed<EventsV1EventList>(plane, 'GET', path);
    tt.match(items, [{ note: /registry mirror is unavailable/, series: undefined }]);
  });

  await t.test('at rest nothing is written', (tt) => tt.resolves(atRest(plane, async () => patches().length + eventWrites().length)));

  await t.test('the patch of a leader that has not seen the last change is refused', async (tt) => {
    const { compiled } = loadPolicy(policy, 'policy.yaml');
    if (compiled === null) throw new Error('the policy has errors');
    const scope = { namespace: releaseNamespace, optIn: 'OptOut', optInValues: [], optOutValues: [], excludedNamespaces: [] } as const;
    const present = new Set((await podsOf(plane)).map(({ metadata }) => metadata?.uid));
    const seen = stale.find(({ metadata }) => present.has(metadata?.uid)) ?? {};
    const { moves: planned } = planFallback(seenPod(seen), { policy: compiled, scope, namespaceLabels: {}, now: Date.now() });
    tt.equal(planned.length, 1);
    const patch = patchOf(seenPod(seen), planned, recordOf(seenPod(seen), planned));
    const path = `/api/v1/namespaces/shop/pods/${seen.metadata?.name}`;
    const send = (body: object) =>
      plane.api.send<{ reason: string; message: string }>('PATCH', path, body, 'application/strategic-merge-patch+json');
    tt.match(await send(patch), { status: 409, body: { reason: 'Conflict' } }, 'by the resourceVersion');
    const { metadata } = await succeed<V1Pod>(plane, 'GET', path);
    const another = {
      metadata: { annotations: patch.metadata?.annotations, resourceVersion: metadata?.resourceVersion, uid: doomed[0]?.metadata?.uid },
      spec: patch.spec,
    };
    tt.match(await send(another), { status: 422, body: { message: /metadata\.uid/ } }, 'by the uid of another pod of that name');
  });
});
