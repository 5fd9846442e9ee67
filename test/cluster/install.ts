/** Installs the chart with helm and runs the product behind the chart's own Service, because the fake nodes run no container. */
import { fileURLToPath } from 'node:url';

import type { V1Service } from '@kubernetes/client-node';

import type { ControlPlane } from './control-plane.ts';
import { serve, servicePort, servingCertificate, type Serving, type ServingCertificate } from './serve.ts';

const chart = fileURLToPath(new URL('../../charts/transship', import.meta.url));

/** The chart names its objects after a release whose name has `transship` in it. */
const release = 'transship';
const namespace = 'transship';
/** Of `tls.mode: secret`. */
const service = 'transship-secret';
const secretName = 'transship-serving';

export interface InstallOptions {
  /** Text of the policy file; the chart and the process get the same. */
  readonly policy: string;
  /** More values of the chart; they win over those that the test cluster needs. */
  readonly values?: Readonly<Record<string, unknown>>;
}

export interface Installation extends Serving {
  readonly release: string;
  readonly namespace: string;
  readonly clusterIP: string;
  readonly certificate: ServingCertificate;
  /** `helm upgrade` with these values beside the ones of the install; the process goes on as it is. */
  upgrade(values: Readonly<Record<string, unknown>>): Promise<void>;
}

/** Resolves when the process answers on the Service's ClusterIP. The API server learns of a new webhook a moment later: poll with a dry-run pod. */
export async function installTransship(plane: ControlPlane, { policy, values = {} }: InstallOptions): Promise<Installation> {
  const name = { service, namespace };
  const certificate = await servingCertificate(name);
  await plane.createNamespace(namespace);
  await createTlsSecret(plane, certificate);

  const given = {
    tls: { mode: 'secret', secret: { name: secretName, caBundle: certificate.authority } },
    rewritePolicy: { inline: policy },
    service: { port: servicePort },
    ...values,
  };
  const helm = (verb: 'install' | 'upgrade', all: object) =>
    plane.helm([verb, release, chart, '--namespace', namespace, '--values', '-'], { input: JSON.stringify(all) });
  await helm('install', given);

  const clusterIP = await clusterIPOf(plane);
  const serving = await serve(plane, { ...name, clusterIP, policy, certificate });
  const upgrade = async (more: object): Promise<void> => void (await helm('upgrade', { ...given, ...more }));
  return { ...serving, release, namespace, clusterIP, certificate, upgrade };
}

async function createTlsSecret(plane: ControlPlane, { certificate, key }: ServingCertificate): Promise<void> {
  const secret = { metadata: { name: secretName }, type: 'kubernetes.io/tls', stringData: { 'tls.crt': certificate, 'tls.key': key } };
  const { status, body } = await plane.api.send('POST', `/api/v1/namespaces/${namespace}/secrets`, secret);
  if (status !== 201) throw new Error(`no Secret ${secretName}: ${JSON.stringify(body)}`);
}

async function clusterIPOf(plane: ControlPlane): Promise<string> {
  const { body } = await plane.api.send<V1Service>('GET', `/api/v1/namespaces/${namespace}/services/${service}`);
  const clusterIP = body.spec?.clusterIP;
  if (clusterIP === undefined)
    throw new Error(`the chart made no Service ${namespace}/${service} with a ClusterIP: ${JSON.stringify(body)}`);
  return clusterIP;
}
