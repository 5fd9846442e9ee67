/** What Argo CD and Flux see of a release that the controller runs in: no drift, and nothing that a sync or a correction takes away. */
import { test } from 'tap';

import type { KubernetesObject, V1MutatingWebhookConfiguration, V1Pod } from '@kubernetes/client-node';

import { skipReason } from '../cluster/binaries.ts';
import { startControlPlane, type ControlPlane } from '../cluster/control-plane.ts';
import { serve, servicePort } from '../cluster/serve.ts';
import { hubPolicy } from '../contract/running.ts';
import { release, render, type Rendered } from './chart.ts';
import { runInstalledController } from './installed-controller.ts';
import { createDryRun, eventually, podsPath, podWith } from './installed.ts';
import { readPair } from './mounted-pair.ts';
import { labelled } from './opt-in.ts';

const configurationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${release.name}`;
const values = { service: { port: servicePort }, failurePolicy: 'Fail', rewritePolicy: { inline: hubPolicy } };

interface Applier {
  readonly apply: (dryRun?: 'server') => Promise<readonly KubernetesObject[]>;
  readonly live: () => Promise<readonly KubernetesObject[]>;
}

/** As both programs do it: server-side apply by a manager of their own, with force. */
function applierOf(plane: ControlPlane, manager: string, objects: readonly Rendered[]): Applier {
  const input = JSON.stringify({ apiVersion: 'v1', kind: 'List', items: objects });
  const read = async (words: readonly string[]): Promise<readonly KubernetesObject[]> => {
    const { stdout } = await plane.kubectl([...words, '-o', 'json', '-f', '-'], { input });
    const answer = JSON.parse(stdout);
    return answer.kind === 'List' ? answer.items : [answer];
  };
  return {
    apply: (dryRun) =>
      read([
        'apply',
        '--server-side',
        '--force-conflicts',
        '--field-manager',
        manager,
        ...(dryRun === undefined ? [] : [`--dry-run=${dryRun}`]),
      ]),
    live: () => read(['get']),
  };
}

/** What the comparison of both leaves out: https://argo-cd.readthedocs.io/en/stable/user-guide/diff-strategies/ */
const content = (objects: readonly KubernetesObject[]) =>
  objects.map((object) => {
    const { managedFields: _managedFields, ...metadata } = object.metadata ?? {};
    return { ...object, metadata };
  });

const inTeam = (apiVersion: string, kind: string, spec: object) => ({
  apiVersion,
  kind,
  metadata: { name: 'web', namespace: 'team-a' },
  spec,
});

const versions = (objects: readonly KubernetesObject[]) =>
  objects.map(({ kind, metadata }) => `${kind} ${metadata?.name} ${metadata?.resourceVersion}`);

test(
  'autoscaling that is turned on where nothing is looked up: one replica until the autoscaler decides',
  { skip: skipReason({ level: 1 }) },
  async (t) => {
    const plane = await startControlPlane(t);
    await plane.createNamespace(release.namespace);
    const deployment = async (more: object): Promise<Applier> => {
      const rendered = await render({ ...values, ...more }, ['--no-hooks']);
      return applierOf(plane, 'argocd-controller', [rendered.one('Deployment', release.name)]);
    };
    await (await deployment({ replicaCount: 3 })).apply();
    const scaled = await deployment({ autoscaling: { enabled: true, minReplicas: 2, maxReplicas: 6 } });
    await scaled.apply();
    t.match(await scaled.live(), [{ spec: { replicas: 1 } }]);
    // As the HorizontalPodAutoscaler's controller does it.
    await plane.kubectl(['-n', release.namespace, 'scale', 'deployment', release.name, '--replicas=5']);
    t.strictSame(content(await scaled.apply('server')), content(await scaled.live()), 'and then its number is no drift');
  },
);

for (const manager of ['argocd-controller', 'helm-controller'])
  test(`${manager}: no drift, and a sync changes nothing`, { skip: skipReason({ level: 1 }) }, async (t) => {
    const plane = await startControlPlane(t);
    await plane.createNamespace(release.namespace);
    await plane.createNamespace('team-a', labelled('enabled'));
    const { objects } = await render(values, ['--no-hooks']);
    const { apply, live } = applierOf(plane, manager, objects);
    await apply();
    await runInstalledController(plane);
    await eventually('there is a certificate', async () => (await readPair(plane)) !== undefined);
    const caBundle = async (): Promise<string | undefined> =>
      (await plane.api.send<V1MutatingWebhookConfiguration>('GET', configurationPath)).body.webhooks?.[0]?.clientConfig.caBundle;
    await eventually('the CA is published', async () => (await caBundle()) !== undefined);

    const before = await live();
    t.strictSame(content(await apply('server')), content(before), 'what an apply would write is what is there');
    const [bundle, pair] = [await caBundle(), await readPair(plane)];
    await apply();
    t.strictSame(versions(await live()), versions(before), 'a sync writes no object');
    t.equal(await caBundle(), bundle, 'the CA is left');
    t.strictSame(await readPair(plane), pair, 'and so is the certificate');

    await t.test('what somebody else changes in a field of the chart is drift, and comes back', async (tt) => {
      await plane.kubectl(['-n', release.namespace, 'scale', 'deployment', release.name, '--replicas=1']);
      tt.strictNotSame(content(await apply('server')), content(await live()));
      await apply();
      tt.strictSame(content(await apply('server')), content(await live()));
    });

    await t.test('a workload is as it was applied, and its pods are not', async (tt) => {
      const certificate = await readPair(plane);
      if (certificate === undefined) throw new Error('it was there a moment ago');
      const { stdout: clusterIP } = await plane.kubectl([
        '-n',
        release.namespace,
        'get',
        'service',
        release.name,
        '-o',
        'jsonpath={.spec.clusterIP}',
      ]);
      await serve(plane, {
        service: release.name,
        namespace: release.namespace,
        clusterIP,
        port: servicePort,
        policy: hubPolicy,
        certificate,
        args: ['--namespace', release.namespace],
      });
      const rewritten = 'mirror.example.com/library/nginx';
      await eventually(
        'pods are rewritten',
        async () => (await createDryRun(plane, 'team-a', podWith('nginx'))).body.spec?.containers[0]?.image === rewritten,
      );
      const spec = { containers: [{ name: 'main', image: 'nginx' }] };
      const labels = { app: 'web' };
      const template = { metadata: { labels }, spec };
      const workloads = applierOf(plane, manager, [
        inTeam('apps/v1', 'Deployment', { selector: { matchLabels: labels }, template }),
        inTeam('batch/v1', 'CronJob', {
          schedule: '0 0 1 1 *',
          jobTemplate: { spec: { template: { spec: { ...spec, restartPolicy: 'Never' } } } },
        }),
      ]);
      await workloads.apply();
      tt.strictSame(content(await workloads.apply('server')), content(await workloads.live()), 'no drift of workloads');

      // A pod that Git itself has is the exception: it is rewritten at every write, so a dry run shows what is there.
      const pods = applierOf(plane, manager, [inTeam('v1', 'Pod', spec)]);
      await pods.apply();
      const { body } = await plane.api.send<V1Pod>('GET', `${podsPath('team-a')}/web`);
      tt.equal(body.spec?.containers[0]?.image, rewritten);
      tt.strictSame(content(await pods.apply('server')), content(await pods.live()), 'no drift of a pod by a dry run with webhooks');
    });
  });
