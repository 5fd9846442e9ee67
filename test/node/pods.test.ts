/** Every way a pod comes to be, on a real node: each ends with an image that the kubelet pulled by the rewritten name. */
import { randomUUID } from 'node:crypto';

import type { V1Pod } from '@kubernetes/client-node';
import t from 'tap';

import { createAuthority } from '../cluster/pki.ts';
import { becomes, install, type Policy } from './harness/install.ts';
import { startNode } from './harness/node.ts';
import { patience, poll } from './harness/poll.ts';
import { createPullSecret, pushOpen, pushPrivate } from './harness/registry.ts';
import { skipReason } from './harness/requirements.ts';
import { sendToPrivateRegistry } from './harness/runtime-files.ts';
import { openRegistry } from './harness/settings.ts';
import { apply, createNamespace, imagesOf, podsOf, running, secretsOf, template } from './harness/workloads.ts';

const mirror = 'mirror.example.com';
const namespace = 'shop';
const policy: Policy = {
  registries: { mirror: { host: mirror, pullSecrets: ['mirror-pull'], credentials: { secret: 'mirror-account' } } },
  rules: [{ name: 'all', match: { images: ['docker.io', 'quay.io'] }, rewrite: { registry: 'mirror', as: 'path' } }],
};

t.test('pods of every origin', { skip: skipReason() }, async (tt) => {
  const node = await startNode(tt);
  sendToPrivateRegistry(node.folder, mirror);
  for (const image of ['acme/app:1', 'acme/init:1', 'acme/debugger:1', 'acme/sidecar:1', 'acme/job:1', 'acme/database:1', 'acme/operand:1'])
    await pushPrivate(node, image);
  await pushOpen(node, 'operator:1');
  await node.kubectl(['create', 'namespace', 'transship']);
  await createPullSecret(node, { name: 'mirror-account', namespace: 'transship', host: mirror });
  await install(node, { rewritePolicy: { inline: policy } });
  await createNamespace(node, namespace);
  await becomes(node, namespace, ['quay.io/acme/app:1', `${mirror}/acme/app:1`]);

  await tt.test('an init container, a sidecar in the init list and a container', async (test) => {
    const { metadata, spec } = template('three', 'quay.io/acme/app:1');
    const initContainers = [
      { name: 'init', image: 'acme/init:1', args: ['done'] },
      { name: 'native-sidecar', image: 'quay.io/acme/sidecar:1', restartPolicy: 'Always' },
    ];
    await apply(node, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { ...metadata, name: 'three', namespace },
      spec: { ...spec, initContainers },
    });
    const pod = await running(node, namespace, 'three');
    test.strictSame(imagesOf(pod), [`${mirror}/acme/init:1`, `${mirror}/acme/sidecar:1`, `${mirror}/acme/app:1`]);
    test.strictSame(secretsOf(pod), ['mirror-pull']);
  });

  await tt.test('kubectl debug: the debug container of a running pod', async (test) => {
    await node.kubectl([
      'debug',
      'three',
      '--namespace',
      namespace,
      '--image=quay.io/acme/debugger:1',
      '--container=debugger',
      '--profile=general',
      '--',
      '/program',
      'wait',
    ]);
    const pod = await poll('a running debug container', async () => {
      const found = (await podsOf(node, namespace, 'three'))[0];
      return found?.status?.ephemeralContainerStatuses?.some(({ state }) => state?.running !== undefined) ? found : undefined;
    });
    test.strictSame(
      pod.spec?.ephemeralContainers?.map(({ image }) => image),
      [`${mirror}/acme/debugger:1`],
    );
  });

  await tt.test('an image volume: rewritten, and refused by containerd 1.6, which knows none', async (test) => {
    const { metadata, spec } = template('volume', 'quay.io/acme/app:1', { volumeMounts: [{ name: 'model', mountPath: '/model' }] });
    const volumes = [{ name: 'model', image: { reference: 'quay.io/acme/init:1' } }];
    await apply(node, { apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'volume', namespace }, spec: { ...spec, volumes } });
    const [version] = (await node.exec(['containerd', '--version'])).stdout.match(/\b\d+\.\d+/) ?? [];
    if (Number.parseInt(version ?? '', 10) >= 2) await running(node, namespace, 'volume');
    else {
      const failed = await poll('a container that is not created', async () => {
        const found = (await podsOf(node, namespace, 'volume'))[0];
        const reason = found?.status?.containerStatuses?.[0]?.state?.waiting?.reason ?? '';
        return /Error|BackOff/.test(reason) ? { found, reason } : undefined;
      });
      test.comment(`containerd ${version}: ${failed.reason}`);
      test.notMatch(failed.reason, /Pull/, 'both images were pulled; only the mount is not known');
    }
    const [pod] = await podsOf(node, namespace, 'volume');
    test.strictSame(pod?.spec?.volumes?.find(({ name }) => name === 'model')?.image?.reference, `${mirror}/acme/init:1`);
  });

  await tt.test('a CronJob: the pod of its job', async (test) => {
    const { metadata, spec } = template('nightly', 'acme/job:1', { args: ['done'] });
    const jobTemplate = { spec: { template: { metadata, spec: { ...spec, restartPolicy: 'Never' } } } };
    await apply(node, {
      apiVersion: 'batch/v1',
      kind: 'CronJob',
      metadata: { name: 'nightly', namespace },
      spec: { schedule: '0 3 * * *', jobTemplate },
    });
    await node.kubectl(['create', 'job', 'now', '--from=cronjob/nightly', '--namespace', namespace]);
    await node.kubectl(['wait', 'job/now', '--for=condition=Complete', '--namespace', namespace, `--timeout=${patience}s`]);
    const [pod] = await podsOf(node, namespace, 'nightly');
    test.strictSame(pod && imagesOf(pod), [`${mirror}/acme/job:1`]);
  });

  await tt.test('a StatefulSet, and its pod once more after a deletion', async (test) => {
    const spec = {
      serviceName: 'database',
      replicas: 1,
      selector: { matchLabels: { app: 'database' } },
      template: template('database', 'quay.io/acme/database:1'),
    };
    await apply(node, { apiVersion: 'apps/v1', kind: 'StatefulSet', metadata: { name: 'database', namespace }, spec });
    const first = await running(node, namespace, 'database');
    await node.kubectl(['delete', 'pod', 'database-0', '--namespace', namespace]);
    const second = await running(node, namespace, 'database');
    test.not(second.metadata?.uid, first.metadata?.uid);
    for (const pod of [first, second]) test.strictSame(imagesOf(pod), [`${mirror}/acme/database:1`]);
  });

  await tt.test('a pod that an operator creates through the API', async (test) => {
    const name = 'operator';
    const { metadata, spec } = template('operand', 'quay.io/acme/operand:1');
    const operand = JSON.stringify({ apiVersion: 'v1', kind: 'Pod', metadata: { ...metadata, name: 'operand' }, spec });
    await createNamespace(node, 'operators', {});
    const account = { kind: 'ServiceAccount', name, namespace: 'operators' };
    await apply(
      node,
      { apiVersion: 'v1', kind: 'ServiceAccount', metadata: { name, namespace: 'operators' } },
      { apiVersion: 'v1', kind: 'ConfigMap', metadata: { name, namespace: 'operators' }, data: { 'pod.json': operand } },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'Role',
        metadata: { name, namespace },
        rules: [{ apiGroups: [''], resources: ['pods'], verbs: ['create'] }],
      },
      {
        apiVersion: 'rbac.authorization.k8s.io/v1',
        kind: 'RoleBinding',
        metadata: { name, namespace },
        roleRef: { apiGroup: 'rbac.authorization.k8s.io', kind: 'Role', name },
        subjects: [account],
      },
    );
    // It asks once, and the API server learns of a RoleBinding a moment later.
    const asAccount = `--as=system:serviceaccount:operators:${name}`;
    await poll('the right to create pods', () => node.kubectl(['auth', 'can-i', 'create', 'pods', '--namespace', namespace, asAccount]));
    await apply(node, {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name, namespace: 'operators' },
      spec: {
        serviceAccountName: name,
        restartPolicy: 'Never',
        containers: [
          {
            name,
            image: `${openRegistry.address}/operator:1`,
            args: ['create-pod', '/operand/pod.json', namespace],
            volumeMounts: [{ name: 'operand', mountPath: '/operand' }],
          },
        ],
        volumes: [{ name: 'operand', configMap: { name } }],
      },
    });
    await node.kubectl([
      'wait',
      'pod/operator',
      '--for=jsonpath={.status.phase}=Succeeded',
      '--namespace=operators',
      `--timeout=${patience}s`,
    ]);
    const pod = await running(node, namespace, 'operand');
    test.strictSame(imagesOf(pod), [`${mirror}/acme/operand:1`]);
  });

  await tt.test('a sidecar that another webhook injects after transship', async (test) => {
    const authority = await createAuthority('sidecar-injector');
    const { certificate, key } = await authority.server(['injector.operators.svc']);
    const labels = { app: 'injector' };
    const secret = {
      apiVersion: 'v1',
      kind: 'Secret',
      metadata: { name: 'injector', namespace: 'operators' },
      type: 'kubernetes.io/tls',
      stringData: { 'tls.crt': certificate, 'tls.key': key },
    };
    const container = {
      name: 'injector',
      image: `${openRegistry.address}/operator:1`,
      args: ['inject-sidecar', 'quay.io/acme/sidecar:1'],
      readinessProbe: { tcpSocket: { port: 8443 }, periodSeconds: 1 },
      volumeMounts: [{ name: 'certificate', mountPath: '/certs' }],
    };
    const pod = {
      apiVersion: 'v1',
      kind: 'Pod',
      metadata: { name: 'injector', namespace: 'operators', labels },
      spec: {
        terminationGracePeriodSeconds: 1,
        containers: [container],
        volumes: [{ name: 'certificate', secret: { secretName: 'injector' } }],
      },
    };
    await apply(node, secret, pod, {
      apiVersion: 'v1',
      kind: 'Service',
      metadata: { name: 'injector', namespace: 'operators' },
      spec: { selector: labels, ports: [{ port: 443, targetPort: 8443 }] },
    });
    await running(node, 'operators', 'injector');
    const webhook = {
      name: 'sidecar.example.com',
      admissionReviewVersions: ['v1'],
      clientConfig: {
        service: { namespace: 'operators', name: 'injector', path: '/' },
        caBundle: Buffer.from(authority.certificate).toString('base64'),
      },
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      objectSelector: { matchLabels: { inject: 'yes' } },
      sideEffects: 'None',
      failurePolicy: 'Fail',
    };
    // Configurations are called in the order of their names: this one comes after transship's.
    await apply(node, {
      apiVersion: 'admissionregistration.k8s.io/v1',
      kind: 'MutatingWebhookConfiguration',
      metadata: { name: 'zz-sidecar' },
      webhooks: [webhook],
    });
    const name = `meshed-${randomUUID().slice(0, 8)}`;
    const { spec } = template('meshed', 'quay.io/acme/app:1');
    const meshed = { apiVersion: 'v1', kind: 'Pod', metadata: { name, namespace, labels: { app: 'meshed', inject: 'yes' } }, spec };
    await poll('a pod with a sidecar', async () => {
      const { stdout } = await node.kubectl(['create', '--dry-run=server', '--output=json', '--filename=-'], {
        input: JSON.stringify(meshed),
      });
      return (JSON.parse(stdout) as V1Pod).spec?.containers.length === 2 ? true : undefined;
    });
    await apply(node, meshed);
    test.strictSame(imagesOf(await running(node, namespace, 'meshed')), [`${mirror}/acme/app:1`, `${mirror}/acme/sidecar:1`]);
  });
});
