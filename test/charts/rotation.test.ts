import { setTimeout as sleep } from 'node:timers/promises';
import { test } from 'tap';

import type { V1MutatingWebhookConfiguration } from '@kubernetes/client-node';

import { caCertificatesIn } from '../../src/tls/trust.ts';
import { skipReason } from '../cluster/binaries.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { serve } from '../cluster/serve.ts';
import { hubPolicy, type CreatedPod } from '../contract/running.ts';
import { release } from './chart.ts';
import { runInstalledController } from './installed-controller.ts';
import { createDryRun, eventually, install, podsPath, podWith } from './installed.ts';
import { keepMounted, readPair } from './mounted-pair.ts';
import { labelled } from './opt-in.ts';

const configurationPath = `/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations/${release.name}`;
const rewritten = 'mirror.example.com/library/nginx';

/** The CAs that API servers are told to trust, by the bundle of each entry. */
async function publishedCas(plane: ControlPlane): Promise<string[]> {
  const { body } = await plane.api.send<V1MutatingWebhookConfiguration>('GET', configurationPath);
  const bundles = (body.webhooks ?? []).map(({ clientConfig }) => Buffer.from(clientConfig.caBundle ?? '', 'base64').toString());
  return [...new Set(bundles)].flatMap((bundle) => (bundle === '' ? ['none'] : caCertificatesIn(bundle).map(({ id }) => id)));
}

/** Creates pods until it is told to stop. Resolves to how many there were, and to what went wrong. */
function createPods(plane: ControlPlane, namespace: string) {
  const failures: string[] = [];
  let created = 0;
  const ending = new AbortController();
  const work = async (): Promise<void> => {
    for (; !ending.signal.aborted; created++) {
      const { status, body } = await plane.api.send<CreatedPod>('POST', podsPath(namespace), podWith('nginx'));
      const image = body.spec?.containers[0]?.image;
      if (status !== 201 || image !== rewritten) failures.push(`${new Date().toISOString()} ${status} ${image} ${body.message}`);
      await sleep(20);
    }
  };
  const workers = [work(), work(), work()];
  return {
    failures,
    stop: async () => {
      ending.abort();
      await Promise.all(workers);
      return created;
    },
  };
}

// A certificate that is due has 8 s left, a CA 15 s.
const times = ['--certificate-lifetime=24s', '--ca-lifetime=45s', '--bundle-delay=2s', '--reload-delay=4s'];

test(
  'certificate and CA are replaced under constant pod creation, and no pod is refused',
  { skip: skipReason({ level: 1 }) },
  async (t) => {
    const values = { tls: { mode: 'controller' }, failurePolicy: 'Fail', rewritePolicy: { inline: hubPolicy } };
    const { plane, address, upgrade } = await install(t, values);
    await plane.createNamespace('team-a', labelled('enabled'));
    const refused = await createDryRun(plane, 'team-a', podWith('nginx'));
    t.equal(refused.status, 500, 'before it is there, a pod of an opted-in namespace is refused: that is what Fail means');

    const controller = await runInstalledController(plane, times);
    await eventually('there is a pair', async () => (await readPair(plane)) !== undefined);
    const pair = await readPair(plane);
    if (pair === undefined) throw new Error('it was there a moment ago');
    const serving = await serve(plane, {
      service: release.name,
      namespace: release.namespace,
      clusterIP: address.host,
      port: address.port,
      policy: hubPolicy,
      certificate: pair,
      args: ['--namespace', release.namespace],
    });
    const leaves = new Set<string>();
    keepMounted(t, plane, serving.certificateFolder, ({ certificate }) => void leaves.add(certificate));
    await eventually(
      'pods are rewritten',
      async () => (await createDryRun(plane, 'team-a', podWith('nginx'))).body.spec?.containers[0]?.image === rewritten,
    );

    const load = createPods(plane, 'team-a');
    const [first = ''] = await publishedCas(plane);
    await upgrade({ ...values, logLevel: 'debug' });
    t.same(await publishedCas(plane), [first], 'helm upgrade leaves the bundle as it is');

    await eventually('a CA is published beside it', async () => (await publishedCas(plane)).length === 2, 120_000);
    t.match(await publishedCas(plane), [String, first], 'the new one and the old one');
    await plane.helm(['rollback', release.name, '1', '--namespace', release.namespace]);
    await eventually('the first CA is gone', async () => !(await publishedCas(plane)).includes(first), 120_000);
    t.equal((await publishedCas(plane)).includes('none'), false);

    const created = await load.stop();
    t.same(load.failures, [], `${created} pods`);
    t.ok(created > 100, `${created} pods were created meanwhile`);
    t.ok(leaves.size > 2, `${leaves.size} certificates were served`);
    t.comment(`${created} pods, ${leaves.size} certificates, 2 CAs`);

    await plane.helm(['uninstall', release.name, '--namespace', release.namespace]);
    const [certificates, writes] = [
      `/api/v1/namespaces/${release.namespace}/secrets/${release.name}-tls-ca`,
      controller.log().split('"step"').length,
    ];
    await sleep(1_000);
    t.equal((await plane.api.send('GET', certificates)).status, 404, 'what the release owned is not made again');
    t.equal(controller.log().split('"step"').length, writes, 'nothing is written without a webhook configuration');
  },
);
