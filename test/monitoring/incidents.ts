/** What goes wrong in the picture of the dashboard: calls that fail, and pods that cannot be pulled; and a second engine. */
import { readFileSync } from 'node:fs';
import { loadPolicy } from '../../src/config/load.ts';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import type { ControlPlane } from '../cluster/control-plane.ts';
import { createPod, fail, podPath, waiting } from '../controller/fallback/pods.ts';
import { succeed } from '../controller/controllers.ts';
import { applyAll, defaults } from '../export/equality.ts';
import { samplePolicy } from '../server/running.ts';

/** Its pods are rewritten by an admission policy. */
export const policyNamespace = 'by-policy';
const outage = 'outage';

/** For ConfigMaps of one namespace it is skipped, for Secrets it rejects: nobody listens there. */
export async function registerUnreachable(plane: ControlPlane): Promise<void> {
  await plane.createNamespace(outage);
  const webhook = (name: string, failurePolicy: string, resource: string): object => ({
    name,
    admissionReviewVersions: ['v1'],
    sideEffects: 'None',
    failurePolicy,
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: [resource] }],
    namespaceSelector: { matchLabels: { 'kubernetes.io/metadata.name': outage } },
    clientConfig: { url: 'https://127.0.0.1:1/mutate' },
  });
  const webhooks = [webhook('enforce.transship.dev', 'Ignore', 'configmaps'), webhook('pod-enforce.transship.dev', 'Fail', 'secrets')];
  const path = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
  const { status } = await plane.api.send('POST', path, { metadata: { name: 'unreachable' }, webhooks });
  if (status !== 201) throw new Error(`the webhooks are not registered: ${status}`);
}

export async function failCalls(plane: ControlPlane): Promise<void> {
  for (const kind of ['configmaps', 'secrets'])
    await plane.api.send('POST', `/api/v1/namespaces/${outage}/${kind}?dryRun=All`, { metadata: { generateName: 'probe-' } });
}

export async function exportPolicy(plane: ControlPlane): Promise<void> {
  const { compiled } = loadPolicy(readFileSync(samplePolicy, 'utf8'), samplePolicy);
  if (compiled === null) throw new Error('the sample policy has errors');
  const options = { ...defaults, name: 'transship-exported', failurePolicy: 'Ignore', optInValue: policyNamespace } as const;
  for (const { text } of exportAdmissionPolicy(compiled, options).files) await applyAll(plane, text);
  await plane.createNamespace(policyNamespace, { 'transship.dev/rewrite': policyNamespace });
}

/** A pod whose node does not reach the mirror, and one of an image that the registry does not have. */
export async function failPull(plane: ControlPlane, number: number, asked: string): Promise<void> {
  const [name, image] = [`cart-${number}`, 'reg.example.com/library/main:1'];
  await createPod(plane, name, { image });
  await fail(plane, podPath(name), { containerStatuses: [waiting('main', image)] });
  await succeed(plane, 'POST', '/api/v1/namespaces/shop/pods', {
    metadata: { name: `asked-${number}` },
    spec: { automountServiceAccountToken: false, containers: [{ name: 'main', image: `${asked}/app:${number}` }] },
  });
}
