/** Others that add a container to pods, as service meshes do: a webhook in namespaces labelled `mesh: webhook`, and a policy in those labelled `mesh: policy`. */
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';

import type { ControlPlane, TestScope } from '../cluster/control-plane.ts';
import { createAuthority } from '../cluster/pki.ts';
import type { CreatedPod } from './running.ts';

const registration = '/apis/admissionregistration.k8s.io/v1';
export const sidecar = { name: 'sidecar', image: 'envoyproxy/envoy:v1.31' };
const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];

/** A webhook as service meshes have one: it adds a container to every pod that does not have it yet, after all others since its name sorts last. */
export async function startSidecarInjector(t: TestScope, plane: ControlPlane): Promise<void> {
  const host = plane.serviceCidr.replace(/\.0\/17$/, '.250');
  const authority = await createAuthority('injector');
  const { certificate, key } = await authority.server([host]);
  const server = createServer({ cert: certificate, key, ALPNProtocols: ['http/1.1'] }, (request, response) => {
    void (async () => {
      const { uid, object } = ((await json(request)) as { request: { uid: string; object: CreatedPod } }).request;
      const isThere = object.spec?.containers.some(({ name }) => name === sidecar.name);
      const patch = Buffer.from(JSON.stringify([{ op: 'add', path: '/spec/containers/-', value: sidecar }])).toString('base64');
      const answer = { uid, allowed: true, ...(isThere ? {} : { patchType: 'JSONPatch', patch }) };
      response.setHeader('content-type', 'application/json');
      response.end(JSON.stringify({ apiVersion: 'admission.k8s.io/v1', kind: 'AdmissionReview', response: answer }));
    })();
  });
  await new Promise<void>((resolve, reject) => server.once('error', reject).listen(8443, host, resolve));
  t.teardown(async () => {
    server.close();
    server.closeAllConnections();
  });
  const webhook = {
    name: 'inject.mesh.example.com',
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    rules,
    namespaceSelector: { matchLabels: { mesh: 'webhook' } },
    clientConfig: { url: `https://${host}:8443/`, caBundle: Buffer.from(authority.certificate).toString('base64') },
  };
  await accepted(plane, 'mutatingwebhookconfigurations', { metadata: { name: 'zz-mesh' }, webhooks: [webhook] });
}

/** @throws with the API server's answer where it refuses the object */
export async function accepted(plane: ControlPlane, resource: string, object: object): Promise<void> {
  const { status, body } = await plane.api.send('POST', `${registration}/${resource}`, object);
  if (status !== 201) throw new Error(`${resource}: ${JSON.stringify(body)}`);
}

/** The same by the API server itself, which runs such policies before all webhooks. https://kubernetes.io/docs/reference/access-authn-authz/mutating-admission-policy/ */
export async function makeSidecarPolicy(plane: ControlPlane): Promise<void> {
  const expression = `Object{spec: Object.spec{containers: [Object.spec.containers{name: "${sidecar.name}", image: "${sidecar.image}"}]}}`;
  await accepted(plane, 'mutatingadmissionpolicies', {
    metadata: { name: 'mesh' },
    spec: {
      matchConstraints: { resourceRules: rules },
      failurePolicy: 'Fail',
      reinvocationPolicy: 'IfNeeded',
      mutations: [{ patchType: 'ApplyConfiguration', applyConfiguration: { expression } }],
    },
  });
  const matchResources = { namespaceSelector: { matchLabels: { mesh: 'policy' } } };
  await accepted(plane, 'mutatingadmissionpolicybindings', { metadata: { name: 'mesh' }, spec: { policyName: 'mesh', matchResources } });
}
