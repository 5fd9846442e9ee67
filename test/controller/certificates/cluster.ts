/** The objects of a rotation on a test cluster, and the controller that keeps them. */
import { X509Certificate } from 'node:crypto';

import type { V1MutatingWebhookConfiguration, V1Secret } from '@kubernetes/client-node';

import { caCertificatesIn } from '../../../src/tls/trust.ts';
import { startControlPlane, type ControlPlane, type ControlPlaneOptions, type TestScope } from '../../cluster/control-plane.ts';
import { createNamespace, metric, releaseNamespace, runController, secretPath, succeed, type Running } from '../controllers.ts';

export const policy = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\n';
export const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
export const [tlsPath, caPath] = [secretPath(releaseNamespace, 'transship-tls'), secretPath(releaseNamespace, 'transship-tls-ca')];
export const day = 86_400_000;

export const shortDelays = ['--bundle-delay=1s', '--reload-delay=1s'];

/** Calls nobody: its selector matches no namespace. */
const webhook = (name: string) => ({
  name: `${name}.transship.dev`,
  admissionReviewVersions: ['v1'],
  sideEffects: 'None',
  clientConfig: { service: { namespace: releaseNamespace, name: 'transship', path: '/mutate' } },
  rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
  namespaceSelector: { matchLabels: { nobody: 'has-this' } },
});

export const createConfiguration = (plane: ControlPlane, name: string) =>
  succeed(plane, 'POST', configurations, { metadata: { name }, webhooks: [webhook('one'), webhook('two')] });

export const configurationOf = async (plane: ControlPlane, name = 'transship') =>
  (await plane.api.send<V1MutatingWebhookConfiguration>('GET', `${configurations}/${name}`)).body;

export async function bundlesOf(plane: ControlPlane, name?: string): Promise<string[]> {
  return ((await configurationOf(plane, name)).webhooks ?? []).map(({ clientConfig }) =>
    Buffer.from(clientConfig.caBundle ?? '', 'base64').toString(),
  );
}

/** Empties one entry, as a person or an older chart would. */
export const emptyBundle = (plane: ControlPlane) =>
  plane.api.send(
    'PATCH',
    `${configurations}/transship`,
    [{ op: 'remove', path: '/webhooks/1/clientConfig/caBundle' }],
    'application/json-patch+json',
  );

export async function contentOf(plane: ControlPlane, path: string): Promise<Record<string, string> | null> {
  const { status, body } = await plane.api.send<V1Secret>('GET', path);
  if (status !== 200) return null;
  return Object.fromEntries(Object.entries(body.data ?? {}).map(([key, text]) => [key, Buffer.from(text, 'base64').toString()]));
}

/** Of each bundle, the CAs in it that have signed the certificate in use: one when it is trusted. */
export async function signersIn(plane: ControlPlane): Promise<{ readonly leaf: X509Certificate; readonly signers: X509Certificate[][] }> {
  const { text, bundles } = await certificateAndBundles(plane);
  const leaf = new X509Certificate(text);
  const isSigner = (ca: X509Certificate) => leaf.checkIssued(ca) && leaf.verify(ca.publicKey);
  const signers = bundles.map((bundle) => caCertificatesIn(bundle).flatMap(({ pem }) => [new X509Certificate(pem)].filter(isSigner)));
  return { leaf, signers };
}

export const signersOf = async (plane: ControlPlane): Promise<number[]> => (await signersIn(plane)).signers.map(({ length }) => length);

/** As they are at one time: between the two requests the rotation may go on. */
async function certificateAndBundles(plane: ControlPlane): Promise<{ readonly text: string; readonly bundles: string[] }> {
  const certificate = async (): Promise<string> => (await contentOf(plane, tlsPath))?.['tls.crt'] ?? '';
  for (let text = await certificate(); ;) {
    const bundles = await bundlesOf(plane);
    const next = await certificate();
    if (next === text) return { text, bundles };
    text = next;
  }
}

export async function versionsOf(plane: ControlPlane): Promise<(string | undefined)[]> {
  const objects = await Promise.all([`${configurations}/transship`, tlsPath, caPath].map((path) => plane.api.send<V1Secret>('GET', path)));
  return objects.map(({ body }) => body.metadata?.resourceVersion);
}

export const stepsOf = async (controller: Running, step: string): Promise<number> =>
  (await metric(controller, `transship_controller_certificate_steps_total{step="${step}"}`)) ?? 0;

/** @param args as `shortDelays` */
export const run = (plane: ControlPlane, ...args: string[]): Promise<Running> =>
  runController(plane, { policy, args: ['--features=certificates', ...args] });

export async function started(t: TestScope, options: ControlPlaneOptions = {}): Promise<ControlPlane> {
  const plane = await startControlPlane(t, options);
  await createNamespace(plane, releaseNamespace);
  return plane;
}
