import type { IncomingMessage } from 'node:http';
import { createServer } from 'node:https';
import { text } from 'node:stream/consumers';
import { TLSSocket } from 'node:tls';
import { test, type Test } from 'tap';

import type { V1Pod, V1Service } from '@kubernetes/client-node';

import { eventually } from '../cluster-client/eventually.ts';
import { skipReason } from './binaries.ts';
import { startControlPlane } from './control-plane.ts';
import { serviceHost, servicePort, servingCertificate, type ServingCertificate } from './serve.ts';

const name = { service: 'label', namespace: 'hooks' };

/** What the API server showed of itself in one call. */
interface Call {
  readonly httpVersion: string;
  readonly host: string | undefined;
  readonly serverName: unknown;
  readonly path: string | undefined;
}

const callOf = (request: IncomingMessage): Call => ({
  httpVersion: request.httpVersion,
  host: request.headers.host,
  serverName: request.socket instanceof TLSSocket ? request.socket.servername : undefined,
  path: request.url,
});

/** The smallest webhook there is: it labels each pod, on exactly this address. */
async function startLabelWebhook(t: Test, address: string, { certificate, key }: ServingCertificate): Promise<Call[]> {
  const calls: Call[] = [];
  const patch = Buffer.from(JSON.stringify([{ op: 'add', path: '/metadata/labels', value: { seen: 'true' } }])).toString('base64');
  const server = createServer({ cert: certificate, key, ALPNProtocols: ['h2', 'http/1.1'] }, (request, response) => {
    void text(request).then((body) => {
      calls.push(callOf(request));
      const { uid } = JSON.parse(body).request;
      response.setHeader('content-type', 'application/json');
      const answer = { uid, allowed: true, patchType: 'JSONPatch', patch };
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
    });
  });
  await new Promise<void>((resolve) => server.listen(servicePort, address, resolve));
  t.teardown(() => {
    server.closeAllConnections();
    server.close();
  });
  return calls;
}

const configuration = (authority: string) => ({
  metadata: { name: 'label' },
  webhooks: [
    {
      name: 'label.test.transship.dev',
      admissionReviewVersions: ['v1'],
      sideEffects: 'None',
      failurePolicy: 'Fail',
      rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
      clientConfig: {
        caBundle: Buffer.from(authority).toString('base64'),
        service: { name: name.service, namespace: name.namespace, port: servicePort, path: '/mutate' },
      },
    },
  ],
});

test(
  'a webhook behind a ClusterIP Service is called on loopback as in production',
  { skip: skipReason({ level: 1, helm: false }) },
  async (t) => {
    const plane = await startControlPlane(t);
    await plane.createNamespace(name.namespace);
    const service = await plane.api.send<V1Service>('POST', `/api/v1/namespaces/${name.namespace}/services`, {
      metadata: { name: name.service },
      spec: { ports: [{ port: servicePort }] },
    });
    const address = service.body.spec?.clusterIP ?? '';
    t.equal(address.split('.').slice(0, 2).join('.'), plane.serviceCidr.split('.').slice(0, 2).join('.'), 'the ClusterIP is in the range');

    const certificate = await servingCertificate(name);
    const calls = await startLabelWebhook(t, address, certificate);
    const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
    t.equal((await plane.api.send('POST', path, configuration(certificate.authority))).status, 201);

    // The API server learns of the configuration by a watch, so the first pods may still pass it by.
    const pods = '/api/v1/namespaces/default/pods?dryRun=All';
    const pod = { metadata: { name: 'probe' }, spec: { containers: [{ name: 'main', image: 'nginx' }] } };
    await eventually('a pod has the label', async () => {
      const { body } = await plane.api.send<V1Pod>('POST', pods, pod);
      return body.metadata?.labels?.['seen'] === 'true';
    });
    const host = serviceHost(name);
    t.match(calls[0], { httpVersion: '1.1', serverName: host, path: '/mutate?timeout=10s' });
    t.match(calls[0]?.host, new RegExp(`^${host}(:${servicePort})?$`));
  },
);
