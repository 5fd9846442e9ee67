/** Others that add a container to pods, as service meshes do: a webhook in namespaces labelled `mesh: webhook`, and a policy in those labelled `mesh: policy`. */
import { createServer } from 'node:https';
import { json } from 'node:stream/consumers';

import type { ControlPlane, TestScope } from '../cluster/control-plane.ts';
import { createAuthority } from '../cluster/pki.ts';
import type { CreatedPod } from './running.ts';

const registration = '/apis/admissionregistration.k8s.io/v1';
export const sidecar = { name: 'sidecar', image: 'envoyproxy/envoy:v1.31' };
const rules = [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }];

export interface MutatingWebhook {
  /** Of its configuration. Webhooks are called by the order of these names. */
  readonly name: string;
  /** Last part of its address, 240 or more. */
  readonly address: number;
  /** Labels of the namespaces whose pods it is asked about. */
  readonly namespaceLabels: Readonly<Record<string, string>>;
  /** JSON patch; empty for none. */
  readonly patch: (pod: CreatedPod) => readonly object[];
}

/** A webhook as service meshes have one: it adds a container to every pod that does not have it yet, after all others since its name sorts last. */
export async function startSidecarInjector(t: TestScope, plane: ControlPlane): Promise<void> {
  await startMutatingWebhook(t, plane, {
    name: 'zz-mesh',
    address: 250,
    namespaceLabels: { mesh: 'webhook' },
    patch: (pod) =>
      pod.spec?.containers.some(({ name }) => name === sidecar.name) ? [] : [{ op: 'add', path: '/spec/containers/-', value: sidecar }],
  });
}

/** Another webhook that changes new pods, and is asked again when others have changed them. */
export async function startMutatingWebhook(
  t: TestScope,
  plane: ControlPlane,
  { name, address, namespaceLabels, patch }: MutatingWebhook,
): Promise<void> {
  const host = plane.serviceCidr.replace(/\.0\/17$/, `.${address}`);
  const authority = await createAuthority(name);
  const { certificate, key } = await authority.server([host]);
  const server = createServer({ cert: certificate, key, ALPNProtocols: ['http/1.1'] }, (request, response) => {
    void (async () => {
      const { uid, object } = ((await json(request)) as { request: { uid: string; object: CreatedPod } }).request;
      const changes = patch(object);
      const encoded = Buffer.from(JSON.stringify(changes)).toString('base64');
      const answer = { uid, allowed: true, ...(changes.length > 0 && { patchType: 'JSONPatch', patch: encoded }) };
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
    name: `${name}.example.com`,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy: 'Fail',
    reinvocationPolicy: 'IfNeeded',
    rules,
    namespaceSelector: { matchLabels: namespaceLabels },
    clientConfig: { url: `https://${host}:8443/`, caBundle: Buffer.from(authority.certificate).toString('base64') },
  };
  await accepted(plane, 'mutatingwebhookconfigurations', { metadata: { name }, webhooks: [webhook] });
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
