import type { V1ValidatingAdmissionPolicy } from '@kubernetes/client-node';
import { test, type Test } from 'tap';

import { skipReason } from '../cluster/binaries.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { createDryRun, eventually, install, podsPath, podWith } from './installed.ts';
import { labelled } from './opt-in.ts';

const options = { skip: skipReason({ level: 1 }) };
const registries = ['mirror.example.com', 'gcr.io/foo', 'LOCALHOST:30500', 'index.docker.io/library', 'quay.io/acme/app'];
const digest = `sha256:${'a'.repeat(64)}`;
const strategicPatch = 'application/strategic-merge-patch+json';

const allowed = [
  'mirror.example.com/library/nginx:1.27',
  'MIRROR.example.com/nginx',
  'gcr.io/foo/bar:1',
  'gcr.io/foo:1',
  'gcr.io/foo',
  `gcr.io/foo@${digest}`,
  'localhost:30500/nginx',
  'nginx',
  'nginx:1.27',
  `nginx@${digest}`,
  'library/nginx',
  'docker.io/nginx',
  'docker.io/library/nginx:1.27',
  'index.docker.io/library/nginx',
  'index.docker.io/nginx',
  'quay.io/acme/app:1',
  'quay.io/acme/app/part',
  // One component has no host: this is docker.io/library/mirror.example.com.
  'mirror.example.com',
];

const outside = [
  'mirror.example.com.evil.io/nginx',
  'mirror.example.com:5000/nginx',
  'evil.io/mirror.example.com/nginx',
  'gcr.io/foobar:1',
  'gcr.io/other',
  'localhost:305000/nginx',
  'localhost/nginx',
  'bitnami/nginx',
  'docker.io/bitnami/nginx',
  'index.docker.io/bitnami/nginx',
  'quay.io/acme/application',
  'quay.io/acme',
  'mirror/nginx',
];

async function withPolicy(t: Test, emulatedVersion?: string): Promise<ControlPlane> {
  const { plane } = await install(
    t,
    { validatingPolicy: { enabled: true, registries } },
    emulatedVersion === undefined ? {} : { emulatedVersion },
  );
  await plane.createNamespace('team-a', labelled('enabled'));
  await eventually(
    'images from elsewhere are refused',
    async () => (await createDryRun(plane, 'team-a', podWith('evil.io/x'))).status === 403,
  );
  return plane;
}

test('the validating policy', options, async (group) => {
  const plane = await withPolicy(group);

  group.test('images are compared by whole components of their complete names', async (t) => {
    for (const image of allowed) {
      const { status, body } = await createDryRun(plane, 'team-a', podWith(image));
      t.equal(status, 201, `${image} ${body.message ?? ''}`);
    }
    for (const image of outside) {
      const { status, body } = await createDryRun(plane, 'team-a', podWith(image));
      t.equal(status, 403, image);
      t.match(body.message, `images outside the allowed registries (${registries.join(', ')}): ${image}`);
    }
  });

  group.test('every place of an image, and no way around', async (t) => {
    const main = { name: 'main', image: 'nginx' };
    const other = { name: 'other', image: 'evil.io/x' };
    const refused: readonly (readonly [says: string, pod: { metadata?: object; spec: object }])[] = [
      ['an init container', { spec: { containers: [main], initContainers: [other] } }],
      ['a second container', { spec: { containers: [main, other] } }],
      ['an image volume', { spec: { containers: [main], volumes: [{ name: 'v', image: { reference: 'evil.io/x' } }] } }],
      ['a pod that stays out', { metadata: { labels: labelled('disabled') }, spec: { containers: [other] } }],
      ['a pod of an image manager', { metadata: { labels: { 'cnpg.io/cluster': 'db' } }, spec: { containers: [other] } }],
    ];
    for (const [says, { metadata, spec }] of refused) {
      const { status, body } = await createDryRun(plane, 'team-a', { metadata: { generateName: 'probe-', ...metadata }, spec });
      t.equal(status, 403, says);
      t.match(body.message, ': evil.io/x', says);
    }
    t.equal((await createDryRun(plane, 'default', podWith('evil.io/x'))).status, 201, 'a namespace that is not opted in');
  });

  group.test('a pod from before the opt-in can still be changed, but gets no other image from outside', async (t) => {
    await plane.createNamespace('team-b');
    const pod = `${podsPath('team-b')}/old`;
    t.equal((await plane.api.send('POST', podsPath('team-b'), { ...podWith('evil.io/x'), metadata: { name: 'old' } })).status, 201);
    await plane.kubectl(['label', 'namespace', 'team-b', 'transship.dev/rewrite=enabled']);
    await eventually('the namespace is opted in', async () => (await createDryRun(plane, 'team-b', podWith('evil.io/x'))).status === 403);

    const steps: readonly [says: string, path: string, patch: object, status: number][] = [
      ['a label', pod, { metadata: { labels: { a: 'b' } } }, 200],
      [
        'a debug container from inside',
        `${pod}/ephemeralcontainers`,
        { spec: { ephemeralContainers: [{ name: 'd1', image: 'busybox' }] } },
        200,
      ],
      [
        'a debug container from outside',
        `${pod}/ephemeralcontainers`,
        { spec: { ephemeralContainers: [{ name: 'd2', image: 'evil.io/debug' }] } },
        403,
      ],
      ['another image from outside', pod, { spec: { containers: [{ name: 'main', image: 'evil.io/y' }] } }, 403],
      ['an image from inside', pod, { spec: { containers: [{ name: 'main', image: 'nginx' }] } }, 200],
    ];
    for (const [says, path, patch, expected] of steps) {
      const { status, body } = await plane.api.send('PATCH', path, patch, strategicPatch);
      t.equal(status, expected, `${says} ${JSON.stringify(body['message'])}`);
    }
  });
});

test('the expressions fit the types of a pod', { skip: skipReason({ level: 2 }) }, async (t) => {
  const { plane } = await install(t, { validatingPolicy: { enabled: true, registries } }, { level: 2 });
  const path = '/apis/admissionregistration.k8s.io/v1/validatingadmissionpolicies/transship-registries';
  // The controller manager checks types; https://kubernetes.io/docs/reference/access-authn-authz/validating-admission-policy/#type-checking
  await eventually('types are checked', async () => {
    const { body } = await plane.api.send<V1ValidatingAdmissionPolicy>('GET', path);
    if (body.status?.observedGeneration === undefined) return false;
    t.same(body.status.typeChecking?.expressionWarnings ?? [], []);
    return true;
  });
});

test('Kubernetes 1.31 takes the policy', { skip: skipReason({ level: 1, minor: '1.31' }) }, async (t) => {
  const plane = await withPolicy(t, '1.31');
  t.equal((await createDryRun(plane, 'team-a', podWith('nginx'))).status, 201);
});
