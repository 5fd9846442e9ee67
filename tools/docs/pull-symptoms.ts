/** The table of docs/guides/troubleshooting.md about images that cannot be pulled. A code of `why` without a row is an error of the type check. */
import type { PullCode } from '../../src/inspect/why/codes.ts';

/** In Markdown. `says`: the sentence of the command, with … for what depends on the cluster. */
export interface Symptom {
  readonly says: string;
  readonly cause: string;
  readonly firstStep: string;
}

export const createSecret = '`kubectl create secret docker-registry`, or [copies by the controller](pull-secrets.md)';

export const cannotPull: Readonly<Record<PullCode, Symptom>> = {
  'not-found': {
    says: 'the registry has no such image',
    cause: 'it was never copied, or the proxy cannot get it',
    firstStep: '`transship images --policy policy.yaml -f manifests/ -o regctl`',
  },
  unauthorized: {
    says: 'the registry refused the credentials',
    cause: 'a wrong password, or no entry for the host; some registries also say so of images that they do not have',
    firstStep: 'read the lines of `why` about pull secrets',
  },
  'too-many-requests': {
    says: 'the registry refused it: too many requests',
    cause: 'a rate limit, such as that of Docker Hub for anonymous pulls',
    firstStep: 'pull through a cache, or with an account: [pull secrets](pull-secrets.md)',
  },
  platform: {
    says: 'the registry has no image for the platform of the node',
    cause: 'only one platform was copied',
    firstStep: 'copy the image again with all platforms',
  },
  'unknown-host': {
    says: 'the node cannot resolve the name of the registry',
    cause: 'a spelling error in `registries`, or the DNS of the nodes, which is not that of pods',
    firstStep: 'on a node: `crictl pull IMAGE`',
  },
  unreachable: {
    says: 'the registry does not answer the node',
    cause: 'the registry is down, or a firewall is between',
    firstStep: 'on a node: `crictl pull IMAGE`',
  },
  tls: {
    says: 'the node does not trust the certificate of the registry, or it has none',
    cause: "the registry's CA is not on the nodes, or it speaks plain HTTP",
    firstStep: "containerd's `hosts.toml`; no webhook can change that",
  },
  'invalid-name': {
    says: 'the image is not an image reference',
    cause: 'a spelling error in the manifest; transship leaves such images as they are',
    firstStep: 'correct the manifest',
  },
  'never-pulled': {
    says: 'imagePullPolicy is Never, and the node does not have the image',
    cause: 'the image was to be loaded into the node',
    firstStep: 'load it, or change the pull policy',
  },
  signature: {
    says: 'the node accepts no signature of the image',
    cause: 'the nodes have a signature policy, and copies in this registry are not signed; the controller moves no such pod elsewhere',
    firstStep: 'on a node: `cat /etc/containers/policy.json`',
  },
  runtime: {
    says: 'the node failed, and not the registry: its container runtime, or its disk',
    cause: 'the disk is full, or the container runtime does not answer the kubelet',
    firstStep: 'on the node: `df`, and `journalctl -u containerd` or `-u crio`',
  },
  unknown: {
    says: 'the kubelet cannot pull the image',
    cause: 'an error that `why` does not know',
    firstStep: 'read what the kubelet says, which `why` prints',
  },
  'secret-missing': {
    says: 'namespace … has no Secret …',
    cause: 'the pod names a pull secret that is not in its namespace',
    firstStep: createSecret,
  },
  'secret-unusable': {
    says: 'Secret … has the type … and not …',
    cause: 'the Secret has another type, or is no Docker configuration',
    firstStep: createSecret,
  },
  'secret-without-host': {
    says: 'none of the pull secrets (…) has an entry for …',
    cause: 'the Secret is for another host than the rewritten image has',
    firstStep: 'nothing, if the registry asks for no password; else make it for that host',
  },
};
