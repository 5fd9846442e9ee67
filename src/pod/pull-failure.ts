/** Why a node cannot pull an image, from what the kubelet says about a waiting container. */
import { toldCauses } from './pull-message.ts';

/** Reasons of a waiting container whose image cannot be pulled (kubernetes/kubernetes, pkg/kubelet/images/types.go and cri-api, pkg/errors). */
export const pullReasons = [
  'ErrImagePull',
  'ImagePullBackOff',
  'InvalidImageName',
  'ErrImageNeverPull',
  'ImageInspectError',
  'RegistryUnavailable',
  'SignatureValidationFailed',
] as const;
export type PullReason = (typeof pullReasons)[number];

export type PullFailureCode =
  | 'not-found'
  | 'unauthorized'
  | 'too-many-requests'
  | 'platform'
  | 'unknown-host'
  | 'unreachable'
  | 'tls'
  | 'invalid-name'
  | 'never-pulled'
  | 'signature'
  | 'runtime'
  | 'unknown';

export interface PullFailure {
  readonly code: PullFailureCode;
  readonly sentence: string;
  /** What to do. */
  readonly remedy: string;
}

const unknown: PullFailure = { code: 'unknown', sentence: 'the kubelet cannot pull the image', remedy: 'read what the kubelet says' };

const invalidName: PullFailure = { code: 'invalid-name', sentence: 'the image is not an image reference', remedy: 'correct it' };

const neverPulled: PullFailure = {
  code: 'never-pulled',
  sentence: 'imagePullPolicy is Never, and the node does not have the image',
  remedy: 'load it into the node, or change the pull policy',
};

const runtime: PullFailure = {
  code: 'runtime',
  sentence: 'the node failed, and not the registry: its container runtime, or its disk',
  remedy: 'look at the node: the space on its disk, and the log of its container runtime',
};

const signature: PullFailure = {
  code: 'signature',
  sentence: 'the node accepts no signature of the image',
  remedy: 'sign the image in this registry, or correct the signature policy of the nodes',
};

const unreachable: PullFailure = {
  code: 'unreachable',
  sentence: 'the registry does not answer the node',
  remedy: 'check that the registry runs, and that nodes reach it',
};

/** What containerd, CRI-O, cri-dockerd and the kubelet write, the first that fits. */
const causes: readonly (readonly [pattern: RegExp, failure: PullFailure])[] = [
  [/SignatureValidationFailed|signature validation failed|Source image rejected|image verifier \S+ blocked pull/i, signature],
  [
    /ImageInspectError|Failed to inspect image|dial unix|code = Unavailable desc = (?:connection error|closing transport|transport is closing|all SubConns)|error reading from server|no space left on device|disk quota exceeded|read-only file system|failed to (?:mount|extract layer|prepare extraction snapshot|stat snapshot|commit snapshot)/i,
    runtime,
  ],
  [
    /no match for platform|no matching manifest|no image found in (?:image index|manifest list)/i,
    { code: 'platform', sentence: 'the registry has no image for the platform of the node', remedy: 'copy the image with all platforms' },
  ],
  [
    /toomanyrequests|too many requests|status ?code:? 429|status:? 429|parsing HTTP 429/i,
    {
      code: 'too-many-requests',
      sentence: 'the registry refused it: too many requests',
      remedy: 'pull through a cache, or with an account',
    },
  ],
  [
    /unauthorized|authentication required|no basic auth|access denied|denied:|access to the resource is denied|403 Forbidden|401 Unauthorized|authorization failed|(?:StatusCode:|parsing HTTP) 40[13]/i,
    {
      code: 'unauthorized',
      sentence: 'the registry refused the credentials',
      remedy: 'check the pull secret: its host, user and password',
    },
  ],
  [
    /no such host|server misbehaving|NXDOMAIN/i,
    {
      code: 'unknown-host',
      sentence: 'the node cannot resolve the name of the registry',
      remedy: 'check the host in the policy, and the DNS of the nodes',
    },
  ],
  [
    /x509|certificate|tls:|HTTP response to HTTPS client/i,
    {
      code: 'tls',
      sentence: 'the node does not trust the certificate of the registry, or it has none',
      remedy: "configure the registry's CA, or plain HTTP, on the nodes",
    },
  ],
  [
    /connection refused|connection timed out|i\/o timeout|handshake timeout|Client\.Timeout exceeded|deadline exceeded|no route to host|connection reset|broken pipe|unreachable|registry is unavailable|temporarily unavailable|\b50[0234] [A-Z]|(?:StatusCode:|parsing HTTP) 50[0234]|\bEOF\b/i,
    unreachable,
  ],
  [
    /not found|manifest unknown|name unknown|repository does not exist|(?:StatusCode:|parsing HTTP) 404/i,
    {
      code: 'not-found',
      sentence: 'the registry has no such image',
      remedy: 'copy the image to it: transship images lists what a policy needs',
    },
  ],
];

/** What a code means, for people; null for one that is not known. */
export function pullFailureSentence(code: string): string | null {
  const failures = [...causes.map(([, failure]) => failure), invalidName, neverPulled, unknown];
  return failures.find((failure) => failure.code === code)?.sentence ?? null;
}

export function isPullReason(reason: string): reason is PullReason {
  return pullReasons.some((known) => known === reason);
}

/** Of reasons that say enough, whatever the message says. */
const causesOfReasons: Partial<Readonly<Record<PullReason, PullFailure>>> = {
  InvalidImageName: invalidName,
  ErrImageNeverPull: neverPulled,
  ImageInspectError: runtime,
  SignatureValidationFailed: signature,
};

/**
 * @param images that the messages may name: a name is no cause (`quay.io/acme/not-found`)
 * @param messages the first that has a known cause counts
 */
export function pullFailureOf(
  reason: PullReason,
  images: readonly string[],
  messages: readonly string[],
): PullFailure & { readonly message: string } {
  const [message = ''] = messages;
  const certain = causesOfReasons[reason];
  if (certain !== undefined) return { ...certain, message };
  const texts = messages.map((text) => ({ text, told: toldCauses(text, images) }));
  // What the node says itself counts more than the answer that it quotes.
  for (const part of [0, 1])
    for (const [pattern, failure] of causes) {
      const found = texts.find(({ told }) => pattern.test(told[part] ?? ''));
      if (found !== undefined) return { ...failure, message: found.text };
    }
  return { ...(reason === 'RegistryUnavailable' ? unreachable : unknown), message };
}
