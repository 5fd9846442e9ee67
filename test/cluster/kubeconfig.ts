/** The file that kubectl, helm and the cluster's own programs read. https://kubernetes.io/docs/concepts/configuration/organize-cluster-access-kubeconfig/ */
import { stringify } from 'yaml';

import type { KeyPair } from './pki.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');

/** Text of a kubeconfig whose one user is the holder of the certificate. */
export function adminKubeconfig(server: string, certificateAuthority: string, client: KeyPair): string {
  const name = 'transship-test';
  return stringify({
    apiVersion: 'v1',
    kind: 'Config',
    'current-context': name,
    clusters: [{ name, cluster: { server, 'certificate-authority-data': base64(certificateAuthority) } }],
    users: [{ name, user: { 'client-certificate-data': base64(client.certificate), 'client-key-data': base64(client.key) } }],
    contexts: [{ name, context: { cluster: name, user: name } }],
  });
}
