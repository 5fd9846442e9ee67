/** A compiled policy and the engine on a real API server, by kind of request: spellings, updates, debug containers, secrets, other mutators. */
import { setTimeout as sleep } from 'node:timers/promises';
import tap, { test } from 'tap';
import { skipReason } from '../cluster/binaries.ts';
import { applyAll, startCluster, type PodBody } from './equality.ts';
import { broadPolicy, invalid, largePolicy, names, suffixes } from './spellings.ts';

tap.setTimeout(120_000);

const inPod = (images: readonly string[], more: object = {}, metadata: object = {}): PodBody => ({
  metadata: { name: 'web', ...metadata },
  spec: { containers: images.map((image, index) => ({ name: `c-${index}`, image })), ...more },
});

for (const minor of ['1.36', '1.37']) {
  test(`Kubernetes ${minor}`, { skip: skipReason({ level: 1, minor }) }, async (t) => {
    const cluster = await startCluster(t, { emulatedVersion: minor });
    const shop = await cluster.enforce(broadPolicy);
    const team = await cluster.enforce(broadPolicy, { namespace: 'team-a' });

    await t.test(`${names.length * suffixes.length + invalid.length} spellings`, async (part) => {
      for (const name of names) part.same(await shop.created(inPod(suffixes.map((suffix) => name + suffix))), null, name);
      for (const image of invalid) part.same(await shop.created(inPod([image])), null, image);
    });

    await t.test('a large policy', async (part) => {
      const large = await cluster.enforce(largePolicy);
      for (const name of [...names, 'filler-1.example/a', 'filler-149.example/a'])
        part.same(await large.created(inPod(suffixes.map((suffix) => name + suffix))), null, name);
    });

    await t.test('conditions', async (part) => {
      const images = ['quay.io/team/app:1', 'quay.io/labelled/app:1', 'nginx'];
      for (const admission of [shop, team])
        for (const labels of [{}, { app: 'shop' }, { app: 'other' }])
          part.same(await admission.created(inPod(images, {}, { labels })), null, `${admission.namespace} ${JSON.stringify(labels)}`);
    });

    await t.test('places, secrets and records', async (part) => {
      const volumes = [
        { name: 'model', image: { reference: 'acme/model:1' } },
        { name: 'empty', emptyDir: {} },
      ];
      const initContainers = [{ name: 'proxy', image: 'quay.io/acme/proxy', restartPolicy: 'Always' }];
      const annotations = { 'transship.dev/original-images': '{"c-0":"old","gone":"x"}', 'transship.dev/rewritten-by': '{"c-0":"r@1"}' };
      part.same(await shop.created(inPod(['nginx', 'quay.io/acme/app'], { volumes, initContainers })), null, 'all places');
      part.same(await shop.created(inPod(['nginx'], { volumes }, { annotations })), null, 'existing records');
      for (const secrets of [['mirror-pull'], ['more', 'x'], ['mirror-pull', 'more', 'own', 'vendor-pull']]) {
        const imagePullSecrets = secrets.map((name) => ({ name }));
        part.same(await shop.created(inPod(['quay.io/acme/a', 'nginx'], { imagePullSecrets })), null, secrets.join());
      }
      for (const imagePullPolicy of ['Always', 'IfNotPresent', 'Never'])
        part.same(
          await shop.created({ spec: { containers: [{ name: 'a', image: 'nginx', imagePullPolicy }] }, metadata: { name: 'x' } }),
          null,
        );
    });

    await t.test("the ServiceAccount's secrets", async (part) => {
      const account = { imagePullSecrets: [{ name: 'of-account' }, { name: 'mirror-pull' }], metadata: { name: 'with-secrets' } };
      for (const namespace of ['without-policy', shop.namespace])
        part.equal((await cluster.plane.api.send('POST', `/api/v1/namespaces/${namespace}/serviceaccounts`, account)).status, 201);
      part.same(await shop.created(inPod(['nginx'], { serviceAccountName: 'with-secrets' })), null);
    });

    await t.test('scope', async (part) => {
      for (const labels of [{ 'transship.dev/rewrite': 'disabled' }, { 'cnpg.io/cluster': 'db' }])
        part.same(await shop.created(inPod(['nginx'], {}, { labels })), null, JSON.stringify(labels));
    });

    await t.test('updates', async (part) => {
      const stored = await shop.store(inPod(['nginx:1', 'quay.io/other/app:1'], {}, { name: 'updated' }));
      const withImage = (image: string, annotations?: object) => (pod: typeof stored) => ({
        ...pod,
        metadata: {
          ...pod.metadata,
          ...(annotations === undefined ? {} : { annotations: { ...pod.metadata.annotations, ...annotations } }),
        },
        spec: {
          ...pod.spec,
          containers: (pod.spec['containers'] as object[]).with(0, { ...(pod.spec['containers'] as object[])[0], image }),
        },
      });
      for (const image of [
        'nginx:2',
        'quay.io/other/x',
        'Nginx',
        'mirror.example.com:5000/hub/library/nginx:1',
        'quay.io/acme/app',
        'vendor.example.com/a',
      ])
        part.same(await shop.updated(stored, withImage(image)), null, image);
      part.same(
        await shop.updated(
          stored,
          withImage('mirror.example.com:5000/hub/library/nginx:2', { 'transship.dev/original-images': '{"c-0":"nginx:2"}' }),
        ),
        null,
      );
      part.same(
        await shop.updated(stored, (pod) => ({ ...pod, metadata: { ...pod.metadata, labels: { a: 'b' } } })),
        null,
        'no image changes',
      );
      for (const containers of [['nginx:3'], ['quay.io/acme/app', 'Nginx', 'gcr.io/single/a:1']])
        part.same(
          await shop.debugged(
            stored,
            containers.map((image, index) => ({ name: `debug-${index}`, image })),
          ),
          null,
          containers.join(),
        );
    });

    await t.test('another mutator adds a container', async (part) => {
      await applyAll(cluster.plane, sidecarPolicy);
      const namespace = 'with-sidecar';
      const plainNames = await cluster.enforce(broadPolicy, { namespace });
      await cluster.plane.api.send(
        'PATCH',
        `/api/v1/namespaces/${namespace}`,
        { metadata: { labels: { sidecar: 'yes' } } },
        'application/merge-patch+json',
      );
      const url = `/api/v1/namespaces/${namespace}/pods?dryRun=All`;
      let images: unknown;
      for (let attempt = 0; attempt < 150; attempt += 1) {
        const { body } = await cluster.plane.api.send<{ spec: { containers: { image: string }[] } }>(
          'POST',
          url,
          inPod(['quay.io/other/a', 'nginx:1']),
        );
        images = body.spec.containers.map(({ image }) => image);
        if (JSON.stringify(images).includes('hub/library/sidecar')) break;
        await sleep(100);
      }
      part.same(images, [
        'quay.io/other/a',
        'Mirror.example.com:5000/hub/library/nginx:1',
        'Mirror.example.com:5000/hub/library/sidecar:1',
      ]);
      part.equal(plainNames.namespace, namespace);
    });

    await t.test('another mutator adds a container to a pod that came with its record', async (part) => {
      const namespace = 'copies';
      await cluster.enforce(narrowPolicy, { namespace });
      // After the other one, so that the API server asks it later.
      await applyAll(cluster.plane, sidecarPolicy.replaceAll('zz-sidecar', 'zz-late').replace("sidecar: 'yes'", "sidecar: 'late'"));
      await cluster.plane.api.send(
        'PATCH',
        `/api/v1/namespaces/${namespace}`,
        { metadata: { labels: { sidecar: 'late' } } },
        'application/merge-patch+json',
      );
      const sent = async (image: string, annotations: Readonly<Record<string, string>>): Promise<string> => {
        const pod = { metadata: { name: 'web', annotations }, spec: { containers: [{ name: 'main', image }] } };
        const { body } = await cluster.plane.api.send('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, pod);
        return JSON.stringify(body['spec']);
      };
      for (let attempt = 0; attempt < 150; attempt += 1) {
        if ((await sent('nginx:1', {})).includes('mirror.example.com/hub/library/sidecar:1')) break;
        await sleep(100);
      }
      const copy = await sent('mirror.example.com/hub/library/nginx:1', { 'transship.dev/original-images': '{"main":"nginx:1"}' });
      part.match(copy, 'mirror.example.com/hub/library/sidecar:1');
    });
    t.ok(shop.changes() > 40, `${shop.changes()} pods were changed`);
  });
}

/** Whose rules do not concern every image. */
const narrowPolicy = `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example.com/hub } }
rules: [{ name: hub, match: { images: [docker.io/library] }, rewrite: { registry: mirror, as: path } }]
`;

/** Its name comes after those of the compiled policies; the order among policies is not defined, and reinvocation makes it immaterial. */
const sidecarPolicy = `
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicy
metadata: { name: zz-sidecar }
spec:
  failurePolicy: Fail
  reinvocationPolicy: Never
  matchConstraints:
    namespaceSelector: { matchLabels: { sidecar: 'yes' } }
    resourceRules: [{ apiGroups: [""], apiVersions: [v1], operations: [CREATE], resources: [pods] }]
  mutations:
    - patchType: JSONPatch
      jsonPatch: { expression: '[JSONPatch{op: "add", path: "/spec/containers/-", value: {"name": "sidecar", "image": "sidecar:1"}}]' }
---
apiVersion: admissionregistration.k8s.io/v1
kind: MutatingAdmissionPolicyBinding
metadata: { name: zz-sidecar }
spec: { policyName: zz-sidecar }
`;
