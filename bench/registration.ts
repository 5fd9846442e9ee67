/** A webhook that the API server calls for the pods of one namespace. */
import type { ControlPlane } from '../test/cluster/control-plane.ts';
import { podOf } from './reviews.ts';

export interface Registration {
  /** Also the name of the configuration. */
  readonly namespace: string;
  readonly url: string;
  /** PEM. */
  readonly authority: string;
  /** `admissionReviewVersions`. */
  readonly versions?: readonly string[];
  /** More fields of the webhook. */
  readonly fields?: Readonly<Record<string, unknown>>;
}

const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const patience = 30_000;

/**
 * Resolves when the webhook is called, and rewrites, for pods of its namespace.
 *
 * @throws with the last answer of the API server after half a minute
 */
export async function register(
  plane: ControlPlane,
  { namespace, url, authority, versions = ['v1'], fields = {} }: Registration,
): Promise<void> {
  await plane.createNamespace(namespace, { bench: namespace });
  const hook = {
    name: `${namespace}.bench.transship.dev`,
    admissionReviewVersions: versions,
    sideEffects: 'None',
    failurePolicy: 'Fail',
    clientConfig: { url, caBundle: Buffer.from(authority).toString('base64') },
    rules: [{ apiGroups: [''], apiVersions: ['v1'], operations: ['CREATE'], resources: ['pods'] }],
    namespaceSelector: { matchLabels: { bench: namespace } },
    ...fields,
  };
  const { status, body: answered } = await plane.api.send('POST', configurations, { metadata: { name: namespace }, webhooks: [hook] });
  if (status !== 201) throw new Error(`the API server refuses the webhook configuration: ${JSON.stringify(answered).slice(0, 500)}`);
  await untilRewritten(plane, namespace);
}

/**
 * Resolves when pods of the namespace are rewritten.
 *
 * @throws with the last answer of the API server after half a minute
 */
export async function untilRewritten(plane: ControlPlane, namespace: string): Promise<void> {
  const deadline = performance.now() + patience;
  for (;;) {
    const { body } = await plane.api.send('POST', `/api/v1/namespaces/${namespace}/pods?dryRun=All`, podOf({}));
    if (JSON.stringify(body).includes('proxy.example.com')) return;
    if (performance.now() > deadline) throw new Error(`pods in ${namespace} are not rewritten: ${JSON.stringify(body).slice(0, 500)}`);
  }
}

export async function unregister(plane: ControlPlane, namespace: string): Promise<void> {
  await plane.api.send('DELETE', `${configurations}/${namespace}`);
}
