/** Certificates and kubeconfigs of a node's programs. Kubernetes reads the organization as group and the common name as user. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

import { adminKubeconfig } from '../../cluster/kubeconfig.ts';
import { createAuthority, serviceAccountKeys, type KeyPair } from '../../cluster/pki.ts';
import { apiServerUrl } from './components.ts';
import { kubernetesService, nodeAddress, nodeName, paths } from './settings.ts';

/** File name of the kubeconfig, subject of its certificate. https://kubernetes.io/docs/setup/best-practices/certificates/#configure-certificates-for-user-accounts */
const users: readonly [name: string, subject: string][] = [
  ['admin', 'O=system:masters, CN=administrator'],
  ['kubelet', `O=system:nodes, CN=system:node:${nodeName}`],
  ['kube-controller-manager', 'CN=system:kube-controller-manager'],
  ['kube-scheduler', 'CN=system:kube-scheduler'],
  ['kube-proxy', 'CN=system:kube-proxy'],
];

const write = (file: string, text: string): void => writeFileSync(file, text, { mode: 0o600 });

export async function writeIdentities(folder: string): Promise<void> {
  const { pki, config } = paths(folder);
  for (const made of [pki, config]) mkdirSync(made, { recursive: true });
  const writePair = (name: string, { certificate, key }: KeyPair): void => {
    write(join(pki, `${name}.crt`), certificate);
    write(join(pki, `${name}.key`), key);
  };

  const authority = await createAuthority('transship-test-node');
  write(join(pki, 'ca.crt'), authority.certificate);
  writePair(
    'kube-apiserver',
    await authority.server([
      nodeAddress,
      '127.0.0.1',
      kubernetesService,
      'localhost',
      'kubernetes',
      'kubernetes.default',
      'kubernetes.default.svc',
    ]),
  );
  writePair('kubelet-client', await authority.client('O=system:masters, CN=apiserver-kubelet-client'));
  const tokens = serviceAccountKeys();
  write(join(pki, 'service-account.pub'), tokens.publicKey);
  write(join(pki, 'service-account.key'), tokens.privateKey);
  for (const [name, subject] of users) {
    write(join(config, `${name}.kubeconfig`), adminKubeconfig(apiServerUrl, authority.certificate, await authority.client(subject)));
  }
}
