/** The pull of an image as the kubelet tells it: its error in one sentence, and what to do. Pure. */
import type { V1ContainerStatus, V1Pod } from '@kubernetes/client-node';
import type { Remedied } from '../opt-in.ts';
import type { PullCode } from './codes.ts';

/** Reasons of a waiting container (kubernetes/kubernetes, pkg/kubelet/images/types.go). */
const pullReasons: ReadonlySet<string> = new Set([
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
]);

/** What containerd and CRI-O write, the first that fits. */
const causes: readonly (readonly [pattern: RegExp, code: PullCode, sentence: string, remedy: string])[] = [
  [
    /no match for platform|no matching manifest/i,
    'platform',
    'the registry has no image for the platform of the node',
    'copy the image with all platforms',
  ],
  [
    /unauthorized|authentication required|no basic auth|access denied|denied:|403 Forbidden|401 Unauthorized|authorization failed/i,
    'unauthorized',
    'the registry refused the credentials',
    'check the pull secret: its host, user and password',
  ],
  [/toomanyrequests|429/i, 'too-many-requests', 'the registry refused it: too many requests', 'pull through a cache, or with an account'],
  [
    /not found|manifest unknown|name unknown|repository does not exist|404/i,
    'not-found',
    'the registry has no such image',
    'copy the image to it: transship images lists what a policy needs',
  ],
  [
    /no such host|server misbehaving|NXDOMAIN/i,
    'unknown-host',
    'the node cannot resolve the name of the registry',
    'check the host in the policy, and the DNS of the nodes',
  ],
  [
    /x509|certificate|tls:|HTTP response to HTTPS client/i,
    'tls',
    'the node does not trust the certificate of the registry, or it has none',
    "configure the registry's CA, or plain HTTP, on the nodes",
  ],
  [
    /connection refused|i\/o timeout|deadline exceeded|no route to host|connection reset|unreachable|EOF/i,
    'unreachable',
    'the registry does not answer the node',
    'check that the registry runs, and that nodes reach it',
  ],
];

export interface PullProblem extends Remedied {
  readonly container: string;
  readonly image: string;
  /** Of the kubelet, as it wrote it. */
  readonly message: string;
}

/** @param messages of the pod's events of reason Failed, the newest first: a back-off may not repeat its cause */
export function pullProblems(pod: V1Pod, messages: readonly string[]): PullProblem[] {
  const { containerStatuses = [], initContainerStatuses = [], ephemeralContainerStatuses = [] } = pod.status ?? {};
  return [...initContainerStatuses, ...containerStatuses, ...ephemeralContainerStatuses].flatMap((status) =>
    problemOf(pod, status, messages),
  );
}

function problemOf(pod: V1Pod, { name, state }: V1ContainerStatus, messages: readonly string[]): PullProblem[] {
  const { reason = '', message = '' } = state?.waiting ?? {};
  if (!pullReasons.has(reason)) return [];
  const image = imageOf(pod, name);
  if (reason === 'InvalidImageName')
    return [
      { container: name, image, code: 'invalid-name', sentence: 'the image is not an image reference', remedy: 'correct it', message },
    ];
  if (reason === 'ErrImageNeverPull')
    return [
      {
        container: name,
        image,
        code: 'never-pulled',
        sentence: 'imagePullPolicy is Never, and the node does not have the image',
        remedy: 'load it into the node, or change the pull policy',
        message,
      },
    ];
  const told = [message, ...messages.filter((text) => text.includes(image))];
  for (const [pattern, code, sentence, remedy] of causes) {
    const text = told.find((each) => pattern.test(each.replaceAll(image, '')));
    if (text !== undefined) return [{ container: name, image, code, sentence, remedy, message: text }];
  }
  return [
    {
      container: name,
      image,
      code: 'unknown',
      sentence: 'the kubelet cannot pull the image',
      remedy: 'read what the kubelet says',
      message,
    },
  ];
}

function imageOf({ spec }: V1Pod, name: string): string {
  const all = [...(spec?.initContainers ?? []), ...(spec?.containers ?? []), ...(spec?.ephemeralContainers ?? [])];
  return all.find((container) => container.name === name)?.image ?? '';
}
