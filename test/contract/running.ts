/** A control plane with the chart installed and the product answering behind its Service: what each file of contract tests begins with. */
import type { V1Pod } from '@kubernetes/client-node';

import { release, type Values } from '../charts/chart.ts';
import { createDryRun, eventually, install, podsPath, podWith, type Installation } from '../charts/installed.ts';
import { labelled } from '../charts/opt-in.ts';
import type { ControlPlaneOptions, TestScope } from '../cluster/control-plane.ts';
import { serve, type Serving } from '../cluster/serve.ts';

/** Docker Hub from a mirror that asks for a password: enough wherever the rules are not what a test is about. */
export const hubPolicy = `
apiVersion: transship.dev/v1
kind: RewritePolicy
registries:
  mirror: { host: mirror.example.com, pullSecrets: [mirror-pull] }
rules:
  - { name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }
`;

export interface RunningOptions {
  /** Text of the policy file; `hubPolicy` unless told. */
  readonly policy?: string;
  /** Values of the chart. */
  readonly values?: Values;
  /** More flags of `transship serve`. */
  readonly args?: readonly string[];
  /** Words in front of the command of `transship serve`. */
  readonly prefix?: readonly [string, ...string[]];
  readonly cluster?: ControlPlaneOptions;
}

export interface Running extends Installation {
  /** The first process behind the Service; a test may replace it by another of `start`. */
  readonly serving: Serving;
  /** Another process with the same address, once the one before is gone. */
  readonly start: (args?: readonly string[]) => Promise<Serving>;
}

const metricsPort = 9464;

/** Resolves when the API server really asks: it learns of the webhook a moment after the install. */
export async function running(
  t: TestScope,
  { policy = hubPolicy, values = {}, args = [], prefix, cluster = {} }: RunningOptions = {},
): Promise<Running> {
  const installation = await install(t, { rewritePolicy: { inline: policy }, ...values }, cluster);
  const { plane, certificate, address, service } = installation;
  const name = { service, namespace: release.namespace, clusterIP: address.host, port: address.port };
  const start: Running['start'] = (more = args) =>
    serve(plane, {
      ...name,
      policy,
      certificate,
      ...(prefix === undefined ? {} : { prefix }),
      args: ['--namespace', release.namespace, '--metrics-port', String(metricsPort), ...more],
    });
  const serving = await start();
  await plane.createNamespace(calledNamespace, labelled('enabled'));
  const all = { ...installation, serving, start };
  await eventually('the webhook is called', () => isCalled(all));
  return all;
}

const calledNamespace = 'called';

/** Whether a pod of an opted-in namespace is sent to the webhook. */
export async function isCalled(installed: Running): Promise<boolean> {
  const before = await reviews(installed);
  await createDryRun(installed.plane, calledNamespace, podWith('nginx'));
  return (await reviews(installed)) > before;
}

/** Reviews that the process has answered so far, by the labels of `transship_reviews_total`; all of them when none are given. */
export function reviews(installed: Pick<Running, 'address'>, labels: Readonly<Record<string, string>> = {}): Promise<number> {
  return counted(installed, 'transship_reviews_total', labels);
}

/** The sum of a counter of the process over the series with these labels. */
export async function counted(
  { address }: Pick<Running, 'address'>,
  counter: string,
  labels: Readonly<Record<string, string>>,
): Promise<number> {
  const text = await (await fetch(`http://${address.host}:${metricsPort}/metrics`)).text();
  const wanted = Object.entries(labels).map(([label, value]) => `${label}="${value}"`);
  const lines = text.split('\n').filter((line) => line.startsWith(`${counter}{`) && wanted.every((label) => line.includes(label)));
  return lines.reduce((sum, line) => sum + Number(line.split(' ').at(-1)), 0);
}

export type CreatedPod = V1Pod & { readonly message?: string };

/** Throws with the API server's own sentence when it does not take the pod. */
export async function createPod({ plane }: Pick<Running, 'plane'>, namespace: string, pod: object): Promise<CreatedPod> {
  const { status, body } = await plane.api.send<CreatedPod>('POST', podsPath(namespace), pod);
  if (status !== 201) throw new Error(`no pod in ${namespace}: ${status} ${body.message}`);
  return body;
}

/** The images of a pod, by the name of the container or volume that has them. */
export function imagesOf({ spec }: V1Pod): Record<string, string | undefined> {
  const containers = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
  const volumes = (spec?.volumes ?? []).filter(({ image }) => image !== undefined);
  return Object.fromEntries([
    ...containers.map(({ name, image }) => [name, image]),
    ...volumes.map(({ name, image }) => [name, image?.reference]),
  ]);
}

export const pullSecretsOf = ({ spec }: V1Pod): (string | undefined)[] | undefined => spec?.imagePullSecrets?.map(({ name }) => name);

/** What the Pod Security Standard `restricted` asks of a container. https://kubernetes.io/docs/concepts/security/pod-security-standards/#restricted */
export const restricted = {
  securityContext: {
    allowPrivilegeEscalation: false,
    runAsNonRoot: true,
    capabilities: { drop: ['ALL'] },
    seccompProfile: { type: 'RuntimeDefault' },
  },
};

/** What the pod said before, as transship has recorded it. */
/** `RULE@REVISION` by container; null without a record. */
export const rulesOf = ({ metadata }: V1Pod): Readonly<Record<string, string>> | null =>
  JSON.parse(metadata?.annotations?.['transship.dev/rewritten-by'] ?? 'null');
export const originalsOf = ({ metadata }: V1Pod): unknown => JSON.parse(metadata?.annotations?.['transship.dev/original-images'] ?? 'null');
