import tap, { test } from 'tap';

import { podsPath } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import { skipReason } from '../cluster/binaries.ts';
import { createPod, imagesOf, originalsOf, pullSecretsOf, running, type CreatedPod } from './running.ts';

// As .taprc has it, also for this file run alone.
tap.setTimeout(120_000);
// A cluster that starts waits more than it works.
tap.jobs = 2;

const strategicPatch = 'application/strategic-merge-patch+json';
const mirror = 'mirror.example.com/library';

/** Image volumes are on from 1.35; before, the API server takes them out of the pod after the webhooks have seen it. */
const minors = [
  { minor: '1.31', volume: {} },
  { minor: '1.32', volume: {} },
  { minor: '1.33', volume: {} },
  { minor: '1.34', volume: {} },
  { minor: '1.35', volume: { model: 'mirror.example.com/acme/model:1' } },
  { minor: '1.36', volume: { model: 'mirror.example.com/acme/model:1' } },
  { minor: '1.37', volume: { model: 'mirror.example.com/acme/model:1' } },
];

const pod = {
  metadata: { name: 'web' },
  spec: {
    initContainers: [
      { name: 'setup', image: 'busybox:1' },
      { name: 'proxy', image: 'envoy:1', restartPolicy: 'Always' },
    ],
    containers: [{ name: 'main', image: 'nginx:1' }],
    volumes: [{ name: 'model', image: { reference: 'acme/model:1' } }],
  },
};

for (const { minor, volume } of minors) {
  test(`Kubernetes ${minor}`, { skip: skipReason({ level: 1, minor }), buffered: true }, async (t) => {
    const installed = await running(t, { values: { failurePolicy: 'Fail' }, cluster: { emulatedVersion: minor } });
    const { plane } = installed;
    await plane.createNamespace('shop', labelled('enabled'));
    const path = `${podsPath('shop')}/web`;
    const patched = async (to: string, spec: object) => {
      const { status, body } = await plane.api.send<CreatedPod>('PATCH', to, { spec }, strategicPatch);
      t.equal(status, 200, `${body.message}`);
      return imagesOf(body);
    };

    const created = await createPod(installed, 'shop', pod);
    const images = { setup: `${mirror}/busybox:1`, proxy: `${mirror}/envoy:1`, main: `${mirror}/nginx:1`, ...volume };
    t.same(imagesOf(created), images);
    t.same(pullSecretsOf(created), ['mirror-pull']);
    t.match(originalsOf(created), { setup: 'busybox:1', proxy: 'envoy:1', main: 'nginx:1' });

    const updated = { ...images, main: `${mirror}/nginx:2` };
    t.same(await patched(path, { containers: [{ name: 'main', image: 'nginx:2' }] }), updated);
    const debug = { name: 'debug', image: 'alpine:3' };
    t.same(await patched(`${path}/ephemeralcontainers`, { ephemeralContainers: [debug] }), { ...updated, debug: `${mirror}/alpine:3` });
  });
}
