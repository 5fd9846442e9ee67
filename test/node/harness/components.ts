/** The programs of a node: how each is started, and what must be there before. */
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { binary } from '../../cluster/binaries.ts';
import { nodeAddress, nodeName, paths, serviceNetwork } from './settings.ts';

export const componentNames = [
  'etcd',
  'containerd',
  'registry-private',
  'registry-open',
  'kube-apiserver',
  'kube-controller-manager',
  'kube-scheduler',
  'kubelet',
  'kube-proxy',
] as const;
export type Component = (typeof componentNames)[number];

interface Start {
  readonly command: readonly string[];
  /** Shell words that succeed when it can be started. */
  readonly after?: string;
}

export const apiServerUrl = `https://${nodeAddress}:6443`;

const kubeconfigOf = (folder: string, component: Component): string => join(paths(folder).config, `${component}.kubeconfig`);

function apiServer({ pki }: ReturnType<typeof paths>): string[] {
  return [
    binary('kube-apiserver'),
    '--etcd-servers=http://127.0.0.1:2379',
    `--advertise-address=${nodeAddress}`,
    '--secure-port=6443',
    `--service-cluster-ip-range=${serviceNetwork}`,
    '--authorization-mode=Node,RBAC',
    '--enable-admission-plugins=NodeRestriction',
    `--client-ca-file=${pki}/ca.crt`,
    `--tls-cert-file=${pki}/kube-apiserver.crt`,
    `--tls-private-key-file=${pki}/kube-apiserver.key`,
    `--kubelet-client-certificate=${pki}/kubelet-client.crt`,
    `--kubelet-client-key=${pki}/kubelet-client.key`,
    '--kubelet-preferred-address-types=InternalIP',
    '--allow-privileged',
    '--service-account-issuer=https://kubernetes.default.svc',
    `--service-account-key-file=${pki}/service-account.pub`,
    `--service-account-signing-key-file=${pki}/service-account.key`,
  ];
}

function starts(folder: string): Record<Component, Start> {
  const path = paths(folder);
  const apiServerAnswers = `${binary('kubectl')} --kubeconfig ${path.adminKubeconfig} get --raw /readyz >/dev/null 2>&1`;
  const client = (component: Component): string[] => [`--kubeconfig=${kubeconfigOf(folder, component)}`];
  const controller = (component: 'kube-controller-manager' | 'kube-scheduler'): string[] => [
    binary(component),
    ...client(component),
    '--bind-address=127.0.0.1',
    '--leader-elect=false',
  ];
  return {
    etcd: {
      command: [
        binary('etcd'),
        `--data-dir=${path.data}/etcd`,
        // The data lives as long as the test: waiting for the disk would only make it slow.
        '--unsafe-no-fsync',
        '--listen-client-urls=http://127.0.0.1:2379',
        '--advertise-client-urls=http://127.0.0.1:2379',
        '--listen-peer-urls=http://127.0.0.1:2380',
        '--initial-advertise-peer-urls=http://127.0.0.1:2380',
        '--initial-cluster=default=http://127.0.0.1:2380',
        '--log-level=warn',
      ],
    },
    containerd: { command: ['containerd', `--config=${path.config}/containerd.toml`, '--log-level=info'] },
    'registry-private': { command: ['docker-registry', 'serve', `${path.config}/registry-private.yaml`] },
    'registry-open': { command: ['docker-registry', 'serve', `${path.config}/registry-open.yaml`] },
    'kube-apiserver': { command: apiServer(path) },
    'kube-controller-manager': {
      after: apiServerAnswers,
      command: [
        ...controller('kube-controller-manager'),
        '--use-service-account-credentials',
        // The default rates are meant for clusters with a thousand nodes in a shared control plane.
        '--kube-api-qps=300',
        '--kube-api-burst=400',
        `--root-ca-file=${path.pki}/ca.crt`,
        `--service-account-private-key-file=${path.pki}/service-account.key`,
      ],
    },
    'kube-scheduler': { after: apiServerAnswers, command: controller('kube-scheduler') },
    kubelet: {
      after: `test -e ${path.run}/pause-loaded && ctr --address /run/containerd/containerd.sock version >/dev/null 2>&1 && ${apiServerAnswers}`,
      command: [
        binary('kubelet'),
        `--config=${path.config}/kubelet.yaml`,
        ...client('kubelet'),
        `--hostname-override=${nodeName}`,
        `--node-ip=${nodeAddress}`,
        '--v=2',
      ],
    },
    'kube-proxy': { after: apiServerAnswers, command: [binary('kube-proxy'), `--config=${path.config}/kube-proxy.yaml`] },
  };
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`;

/** One script a component; node-init.sh runs it again and again. */
export function writeComponents(folder: string): void {
  const { components, run } = paths(folder);
  mkdirSync(components, { recursive: true });
  for (const [name, { command, after = 'true' }] of Object.entries(starts(folder))) {
    const script = `until ${after}; do sleep 0.1; done\necho $$ >${run}/${name}.pid\nexec ${command.map(quoted).join(' ')}\n`;
    const file = join(components, name);
    writeFileSync(file, script);
    chmodSync(file, 0o755);
  }
}
