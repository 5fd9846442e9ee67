/** The flags of each program, and why they are there; what Kubernetes calls control plane components. */
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

import type { Loopback } from './loopback.ts';

export interface Settings {
  readonly folder: string;
  readonly loopback: Loopback;
  readonly kubeconfig: string;
  readonly emulatedVersion: string | undefined;
  /** File with the stages of kwok. */
  readonly kwokStages: string;
}

export const kwokStages = fileURLToPath(new URL('kwok-stages.yaml', import.meta.url));

/** The same stages but for one condition: no pod of transship becomes Running by itself. Returns the file. */
export const writeStagesWithoutTransship = (folder: string): string =>
  writeStages(folder, `{ key: '.metadata.labels["app.kubernetes.io/part-of"]', operator: NotIn, values: [transship] }`);

/** The node cannot pull images of the host: a pod whose first container has one waits as a kubelet writes it, until it has another image. Returns the file. */
export function writeStagesWithoutRegistry(folder: string, host: string): string {
  const registry = `key: '.spec.containers.[0].image | split("/")[0]'`;
  const cause = `failed to do request: Head "https://${host}/v2/": dial tcp 10.1.2.3:443: connect: connection refused`;
  const stage = (name: string, from: string, { reason, text, delay }: { reason: string; text: string; delay: string }): string => `---
apiVersion: kwok.x-k8s.io/v1alpha1
kind: Stage
metadata: { name: ${name} }
spec:
  resourceRef: { apiGroup: v1, kind: Pod }
  selector:
    matchExpressions:
      - { key: .metadata.deletionTimestamp, operator: DoesNotExist }
      ${isPending}
      - { ${registry}, operator: In, values: [${host}] }
      - { key: '.status.containerStatuses.[0].state.waiting.reason', ${from} }
  ${delay}
  next:
    statusTemplate: |
      phase: Pending
      observedGeneration: {{ .metadata.generation }}
      containerStatuses:
      {{ range .spec.containers }}
      - name: {{ .name | Quote }}
        image: {{ .image | Quote }}
        imageID: ""
        ready: false
        started: false
        restartCount: 0
        state: { waiting: { reason: ${reason}, message: {{ printf ${text} .image | Quote }} } }
      {{ end }}
`;
  const pulling = JSON.stringify(`failed to pull and unpack image "%s": ${cause}`);
  const backOff = JSON.stringify(`Back-off pulling image "%s": ErrImagePull: ${cause}`);
  return writeStages(
    folder,
    `{ ${registry}, operator: NotIn, values: [${host}] }`,
    stage('pod-cannot-pull', 'operator: DoesNotExist', { reason: 'ErrImagePull', text: pulling, delay: 'weight: 1' }),
    stage('pod-backs-off', 'operator: In, values: [ErrImagePull]', {
      reason: 'ImagePullBackOff',
      text: backOff,
      delay: 'delay: { durationMilliseconds: 500, jitterDurationMilliseconds: 3000 }',
    }),
  );
}

const isPending = '- { key: .status.phase, operator: In, values: [Pending] }';

/** @param condition of a pod that becomes Running. @param more stages */
function writeStages(folder: string, condition: string, ...more: readonly string[]): string {
  const stages = readFileSync(kwokStages, 'utf8');
  if (!stages.includes(isPending)) throw new Error(`${kwokStages} has no line "${isPending}" any more`);
  const file = join(folder, 'kwok-stages.yaml');
  writeFileSync(file, [stages.replace(isPending, `${isPending}\n      - ${condition}`), ...more].join(''));
  return file;
}

/** Files below the cluster's folder, by what is in them. */
export const files = (folder: string) =>
  ({
    authority: join(folder, 'ca.crt'),
    serverCertificate: join(folder, 'apiserver.crt'),
    serverKey: join(folder, 'apiserver.key'),
    tokenPublicKey: join(folder, 'service-account.pub'),
    tokenPrivateKey: join(folder, 'service-account.key'),
  }) as const;

export const etcdUrl = ({ address, ports }: Loopback): string => `http://${address}:${ports.etcd}`;
export const apiServerUrl = ({ address, ports }: Loopback): string => `https://${address}:${ports.apiServer}`;

/** One binary plays up to three older minors: https://kubernetes.io/docs/concepts/cluster-administration/compatibility-version/ */
const emulation = (version: string | undefined): string[] => (version === undefined ? [] : [`--emulated-version=kube=${version}`]);

export function etcdFlags({ folder, loopback }: Settings): string[] {
  const client = etcdUrl(loopback);
  const peer = `http://${loopback.address}:${loopback.ports.etcdPeer}`;
  return [
    `--data-dir=${join(folder, 'etcd')}`,
    // The data lives as long as the test: waiting for the disk would only make it slow.
    '--unsafe-no-fsync',
    `--listen-client-urls=${client}`,
    `--advertise-client-urls=${client}`,
    `--listen-peer-urls=${peer}`,
    `--initial-advertise-peer-urls=${peer}`,
    `--initial-cluster=default=${peer}`,
    '--logger=zap',
    '--log-level=warn',
  ];
}

export function apiServerFlags({ folder, loopback, emulatedVersion }: Settings): string[] {
  const file = files(folder);
  return [
    `--etcd-servers=${etcdUrl(loopback)}`,
    `--bind-address=${loopback.address}`,
    `--secure-port=${loopback.ports.apiServer}`,
    // Without it the server looks for a routable interface, and a sandbox has none.
    `--advertise-address=${loopback.address}`,
    // Endpoints may not be loopback addresses, so there is nothing to publish for the `kubernetes` Service.
    '--endpoint-reconciler-type=none',
    `--tls-cert-file=${file.serverCertificate}`,
    `--tls-private-key-file=${file.serverKey}`,
    `--client-ca-file=${file.authority}`,
    '--authorization-mode=Node,RBAC',
    `--service-cluster-ip-range=${loopback.serviceCidr}`,
    '--allow-privileged',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${file.tokenPublicKey}`,
    `--service-account-signing-key-file=${file.tokenPrivateKey}`,
    ...emulation(emulatedVersion),
  ];
}

export const controllerManagerFlags = ({ folder, kubeconfig, emulatedVersion }: Settings): string[] => [
  `--kubeconfig=${kubeconfig}`,
  '--leader-elect=false',
  '--secure-port=0',
  `--root-ca-file=${files(folder).authority}`,
  `--service-account-private-key-file=${files(folder).tokenPrivateKey}`,
  ...emulation(emulatedVersion),
];

export const schedulerFlags = ({ kubeconfig, emulatedVersion }: Settings): string[] => [
  `--kubeconfig=${kubeconfig}`,
  '--leader-elect=false',
  '--secure-port=0',
  ...emulation(emulatedVersion),
];

export const kwokFlags = ({ loopback, kubeconfig, kwokStages: stages }: Settings): string[] => [
  `--kubeconfig=${kubeconfig}`,
  `--config=${stages}`,
  '--manage-all-nodes=true',
  '--node-lease-duration-seconds=40',
  // Pod addresses are only written into the status; nothing listens there.
  '--cidr=10.128.0.0/9',
  `--node-ip=${loopback.address}`,
  `--server-address=${loopback.address}:${loopback.ports.kwok}`,
];
