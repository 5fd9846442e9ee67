/** The chart on a real API server, installed by the real helm, with the test's own certificate. */
import { setTimeout as sleep } from 'node:timers/promises';

import type { V1Pod } from '@kubernetes/client-node';

import { startControlPlane, type ControlPlane, type ControlPlaneOptions, type TestScope } from '../cluster/control-plane.ts';
import { servicePort, servingCertificate, type ServingCertificate } from '../cluster/serve.ts';
import { chartFolder, release, secretService, type Values } from './chart.ts';

export interface Installation {
  readonly plane: ControlPlane;
  readonly certificate: ServingCertificate;
  /** Name of the webhook's Service, and of its MutatingWebhookConfiguration. */
  readonly service: string;
  /** Where the API server expects the webhook. */
  readonly address: { readonly host: string; readonly port: number };
  /** `helm upgrade` with these values and none of those before. @param words more of Helm's flags */
  readonly upgrade: (values: Values, words?: readonly string[]) => Promise<void>;
}

const helmArguments = ['--namespace', release.namespace, '--values', '-'] as const;

/** Starts a control plane and installs, with `tls.mode: secret` unless the values have another `tls`, which must be the controller's. Does not wait for pods: below level 3 there are none. */
export async function install(t: TestScope, values: Values = {}, options: ControlPlaneOptions = {}): Promise<Installation> {
  const plane = await startControlPlane(t, options);
  // The release's own pods must be allowed under the strictest Pod Security Standard.
  await plane.createNamespace(release.namespace, { 'pod-security.kubernetes.io/enforce': 'restricted' });
  const service = 'tls' in values ? release.name : secretService;
  const certificate = await servingCertificate({ service, namespace: release.namespace });
  const needed = {
    service: { port: servicePort },
    tls: { mode: 'secret', secret: { name: 'certificate', caBundle: certificate.authority } },
  };
  const withNeeded = (more: Values) => ({ input: JSON.stringify({ ...needed, ...more }) });

  await plane.helm(['install', release.name, chartFolder, ...helmArguments], withNeeded(values));
  const { stdout: host } = await plane.kubectl(['-n', release.namespace, 'get', 'service', service, '-o', 'jsonpath={.spec.clusterIP}']);
  return {
    plane,
    certificate,
    service,
    address: { host, port: servicePort },
    upgrade: async (more, words = []) =>
      void (await plane.helm(['upgrade', release.name, chartFolder, ...helmArguments, ...words], withNeeded(more))),
  };
}

export const podsPath = (namespace: string): string => `/api/v1/namespaces/${namespace}/pods`;

export const podWith = (image: string, metadata: object = {}) => ({
  metadata: { generateName: 'probe-', ...metadata },
  spec: { containers: [{ name: 'main', image }] },
});

export const createDryRun = (plane: ControlPlane, namespace: string, pod: object) =>
  plane.api.send<V1Pod & { message?: string }>('POST', `${podsPath(namespace)}?dryRun=All`, pod);

/** The API server learns of a changed configuration by a watch, a moment later. */
export async function eventually(what: string, holds: () => Promise<boolean>, limit = 60_000): Promise<void> {
  const deadline = performance.now() + limit;
  while (!(await holds())) {
    if (performance.now() > deadline) throw new Error(`not within ${limit / 1000} s: ${what}`);
    await sleep(50);
  }
}
