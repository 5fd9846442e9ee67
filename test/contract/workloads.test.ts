import { test } from 'tap';

import type { V1CronJob, V1Deployment, V1Pod, V1PodList } from '@kubernetes/client-node';

import { eventually, podsPath } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { imagesOf, pullSecretsOf, running } from './running.ts';

const written = { main: 'nginx:1.27', setup: 'busybox:1.36' };
const becomes = { main: 'mirror.example.com/library/nginx:1.27', setup: 'mirror.example.com/library/busybox:1.36' };

const podSpec = { initContainers: [{ name: 'setup', image: written.setup }], containers: [{ name: 'main', image: written.main }] };
const template = (app: string, spec: object = {}) => ({ metadata: { labels: { app } }, spec: { ...podSpec, ...spec } });
const selected = (app: string, spec: object = {}) => ({ selector: { matchLabels: { app } }, template: template(app), ...spec });

interface Workload {
  readonly apiVersion: string;
  readonly kind: string;
  readonly spec: object;
  /** How its pods end up. */
  readonly phase: 'Running' | 'Succeeded';
  readonly pods: number;
}

/** A CronJob that is due: the controller makes the Job that it has missed. */
const everyMinute = { schedule: '* * * * *', jobTemplate: { spec: { template: template('cronjob', { restartPolicy: 'Never' }) } } };

const workloads: Readonly<Record<string, Workload>> = {
  deployment: { apiVersion: 'apps/v1', kind: 'Deployment', spec: selected('deployment', { replicas: 3 }), phase: 'Running', pods: 3 },
  replicaset: { apiVersion: 'apps/v1', kind: 'ReplicaSet', spec: selected('replicaset', { replicas: 2 }), phase: 'Running', pods: 2 },
  statefulset: {
    apiVersion: 'apps/v1',
    kind: 'StatefulSet',
    spec: selected('statefulset', { replicas: 2, serviceName: 'none' }),
    phase: 'Running',
    pods: 2,
  },
  daemonset: { apiVersion: 'apps/v1', kind: 'DaemonSet', spec: selected('daemonset'), phase: 'Running', pods: 1 },
  job: {
    apiVersion: 'batch/v1',
    kind: 'Job',
    spec: { completions: 2, parallelism: 2, template: template('job', { restartPolicy: 'Never' }) },
    phase: 'Succeeded',
    pods: 2,
  },
  cronjob: { apiVersion: 'batch/v1', kind: 'CronJob', spec: everyMinute, phase: 'Succeeded', pods: 1 },
};

test('pods that controllers make', { skip: skipReason({ level: 3 }) }, async (group) => {
  // Fail: a pod that is left alone because the webhook was not reached would only be a slow test.
  const installed = await running(group, { values: { failurePolicy: 'Fail' }, cluster: { level: 3 } });
  const { plane } = installed;
  await plane.createNamespace('shop', labelled('enabled'));
  const podsOf = async (app: string): Promise<V1Pod[]> =>
    (await plane.api.send<V1PodList>('GET', `${podsPath('shop')}?labelSelector=app%3D${app}`)).body.items;
  const uidsOf = async (app: string) =>
    (await podsOf(app)).map(({ metadata }) => metadata?.uid ?? '').toSorted((a, b) => a.localeCompare(b));
  const objects = Object.entries(workloads).map(([name, { apiVersion, kind, spec }]) => ({
    apiVersion,
    kind,
    metadata: { name, namespace: 'shop' },
    spec,
  }));
  await plane.kubectl(['create', '-f', '-'], { input: JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects }) });
  const cronJob = '/apis/batch/v1/namespaces/shop/cronjobs/cronjob';
  const lastScheduleTime = new Date(Date.now() - 90_000).toISOString();
  await plane.api.send('PATCH', `${cronJob}/status`, { status: { lastScheduleTime } }, 'application/merge-patch+json');

  for (const [name, { kind, phase, pods: count }] of Object.entries(workloads)) {
    await group.test(
      `${kind}: its pods come to ${phase} with the rewritten images, and its template stays as it was written`,
      async (t) => {
        // A CronJob may be due once more before it is looked at.
        const arrived = async () => (await podsOf(name)).filter(({ status }) => status?.phase === phase).length >= count;
        await eventually(`${kind}: ${count} pods are ${phase}`, arrived);
        for (const pod of await podsOf(name)) {
          t.same(imagesOf(pod), becomes);
          t.same(pullSecretsOf(pod), ['mirror-pull']);
        }
        const ran = (await podsOf(name)).flatMap(({ status }) => status?.containerStatuses ?? []).map(({ image }) => image);
        t.same([...new Set(ran)], [becomes.main], 'the node was told the rewritten name');
        const { stdout } = await plane.kubectl(['-n', 'shop', 'get', kind, name, '-o', 'json']);
        const owner: V1Deployment & V1CronJob = JSON.parse(stdout);
        t.same(imagesOf(owner.spec?.jobTemplate?.spec?.template ?? owner.spec?.template ?? {}), written);
      },
    );
  }

  await group.test('applying a Deployment again, by client or by server, is no change and starts no pod', async (t) => {
    const deployment = {
      apiVersion: 'apps/v1',
      kind: 'Deployment',
      metadata: { name: 'applied', namespace: 'shop' },
      spec: selected('applied', { replicas: 2 }),
    };
    const input = JSON.stringify(deployment);
    const read = async () => (await plane.api.send<V1Deployment>('GET', '/apis/apps/v1/namespaces/shop/deployments/applied')).body;
    const apply = async (...more: string[]) => (await plane.kubectl(['apply', '-f', '-', ...more], { input })).stdout.trim();

    t.equal(await apply(), 'deployment.apps/applied created');
    await plane.kubectl(['-n', 'shop', 'rollout', 'status', 'deployment/applied', '--timeout=60s']);
    const [before, pods] = [await read(), await uidsOf('applied')];
    t.equal(pods.length, 2);
    t.equal(await apply(), 'deployment.apps/applied unchanged');
    t.equal((await read()).metadata?.generation, before.metadata?.generation);
    t.equal(await apply('--server-side'), 'deployment.apps/applied serverside-applied');
    // The first one may count as a change: it takes over what the client-side apply had noted in an annotation.
    const taken = await read();
    t.equal(await apply('--server-side'), 'deployment.apps/applied serverside-applied');
    t.equal((await plane.kubectl(['diff', '-f', '-'], { input })).stdout, '', 'kubectl diff sees no drift');
    await plane.kubectl(['-n', 'shop', 'rollout', 'status', 'deployment/applied', '--timeout=60s']);
    const after = await read();
    t.equal(after.metadata?.generation, taken.metadata?.generation);
    t.same(after.spec, before.spec);
    t.same(imagesOf(after.spec?.template ?? {}), written);
    t.same(await uidsOf('applied'), pods);
  });

  await group.test('a rollout brings new pods with the new image, rewritten', async (t) => {
    await plane.kubectl(['-n', 'shop', 'set', 'image', 'deployment/deployment', 'main=nginx:1.28']);
    await plane.kubectl(['-n', 'shop', 'rollout', 'status', 'deployment/deployment', '--timeout=60s']);
    await eventually('the old pods are gone', async () => (await podsOf('deployment')).length === 3);
    for (const pod of await podsOf('deployment')) t.same(imagesOf(pod), { ...becomes, main: 'mirror.example.com/library/nginx:1.28' });
  });
});
