/** The MutatingAdmissionPolicy that a controller keeps in a test cluster, with the bindings that the chart would render. */
import type { V1MutatingAdmissionPolicy, V1Pod } from '@kubernetes/client-node';
import { parseAllDocuments } from 'yaml';

import { exportAdmissionPolicy } from '../../../src/export/admission-policy/admission-policy.ts';
import type { ControlPlane } from '../../cluster/control-plane.ts';
import { defaults, loaded } from '../../export/equality.ts';
import { createNamespace, eventually, releaseNamespace, succeed } from '../controllers.ts';

const registration = '/apis/admissionregistration.k8s.io/v1';
export const policyPath = `${registration}/mutatingadmissionpolicies/transship`;
export const bindingPath = `${registration}/mutatingadmissionpolicybindings/transship-namespaces`;
export const controllerArgs = ['--features', 'policies', '--policy-config-map', 'policy'];
/** Opted in. */
export const shop = 'shop';

const head = `apiVersion: transship.dev/v1
kind: RewritePolicy
`;

export const toMirror = (host: string): string => `${head}registries: { mirror: { host: ${host}, pullSecrets: [pull] } }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
`;

/** With a rule that CEL cannot express, at 6:37. */
export const inexpressible = (host: string): string => `${toMirror(host)}\
  - { name: quay, match: { images: [{ regex: '^quay\\.io/\\pL' }] }, rewrite: { registry: mirror, as: path } }
`;

export async function prepareCluster(plane: ControlPlane): Promise<void> {
  await createNamespace(plane, releaseNamespace);
  await plane.createNamespace(shop, { 'transship.dev/rewrite': 'enabled' });
}

/** @param only one of them */
export async function bind(plane: ControlPlane, only?: 'namespaces'): Promise<void> {
  const [file] = exportAdmissionPolicy(loaded(toMirror('a.example.com')), defaults).files;
  for (const document of parseAllDocuments(file?.text ?? '')) {
    const object = document.toJS() as { kind: string; metadata: { name: string } };
    if (object.kind === 'MutatingAdmissionPolicyBinding' && object.metadata.name.endsWith(only ?? ''))
      await succeed(plane, 'POST', `${registration}/mutatingadmissionpolicybindings`, object);
  }
}

export async function keptPolicy(plane: ControlPlane): Promise<V1MutatingAdmissionPolicy | null> {
  const { status, body } = await plane.api.send<V1MutatingAdmissionPolicy>('GET', policyPath);
  return status === 200 ? body : null;
}

/** What becomes of a pod with one image. */
export async function podOf(plane: ControlPlane, image: string): Promise<V1Pod> {
  const pod = { metadata: { name: 'web' }, spec: { automountServiceAccountToken: false, containers: [{ name: 'web', image }] } };
  return succeed<V1Pod>(plane, 'POST', `/api/v1/namespaces/${shop}/pods?dryRun=All`, pod);
}

/** @returns milliseconds until pods with the image get the other one */
export const becomes = (plane: ControlPlane, image: string, expected: string): Promise<number> =>
  eventually(`${image} becomes ${expected}`, async () => (await podOf(plane, image)).spec?.containers[0]?.image === expected);
