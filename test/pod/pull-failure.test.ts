/** Messages of waiting containers, as containerd, CRI-O and the kubelet write them, and what each means. */
import { test } from 'tap';
import { isPullReason, pullFailureOf, type PullFailureCode, type PullReason } from '../../src/pod/pull-failure.ts';

const image = 'mirror.example.com/acme/app:1';
const resolve = `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}"`;
const cri = `rpc error: code = Unknown desc = initializing source docker://${image}`;

const rows: readonly (readonly [code: PullFailureCode, message: string])[] = [
  // containerd 1.6 to 2.1.
  [
    'not-found',
    `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to resolve reference "${image}": ${image}: not found`,
  ],
  [
    'unauthorized',
    `${resolve}: pull access denied, repository does not exist or may require authorization: server message: insufficient_scope: authorization failed`,
  ],
  [
    'unauthorized',
    `${resolve}: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://mirror.example.com/token?scope=x: 401 Unauthorized`,
  ],
  ['unauthorized', `${resolve}: unexpected status from HEAD request to https://mirror.example.com/v2/acme/app/manifests/1: 403 Forbidden`],
  [
    'too-many-requests',
    `${resolve}: unexpected status from HEAD request to https://mirror.example.com/v2/acme/app/manifests/1: 429 Too Many Requests`,
  ],
  [
    'too-many-requests',
    `failed to copy: httpReadSeeker: failed open: unexpected status code https://mirror.example.com/v2/acme/app/manifests/sha256:0a: 429 Too Many Requests - Server message: toomanyrequests: You have reached your unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit`,
  ],
  [
    'unknown-host',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": dial tcp: lookup mirror.example.com on 10.0.0.10:53: no such host`,
  ],
  [
    'unknown-host',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": dial tcp: lookup mirror.example.com on 10.0.0.10:53: server misbehaving`,
  ],
  [
    'unreachable',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": dial tcp 10.1.2.3:443: connect: connection refused`,
  ],
  [
    'unreachable',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": dial tcp 10.1.2.3:443: i/o timeout`,
  ],
  [
    'unreachable',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": dial tcp 10.1.2.3:443: connect: no route to host`,
  ],
  [
    'unreachable',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": net/http: TLS handshake timeout`,
  ],
  ['unreachable', `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": EOF`],
  [
    'unreachable',
    `${resolve}: unexpected status from HEAD request to https://mirror.example.com/v2/acme/app/manifests/1: 503 Service Unavailable`,
  ],
  ['unreachable', `${resolve}: unexpected status code [manifests 1]: 502 Bad Gateway`],
  [
    'tls',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  ],
  [
    'tls',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": x509: certificate has expired or is not yet valid`,
  ],
  [
    'tls',
    `${resolve}: failed to do request: Head "https://mirror.example.com/v2/acme/app/manifests/1": http: server gave HTTP response to HTTPS client`,
  ],
  [
    'platform',
    `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": no match for platform in manifest: not found`,
  ],
  // CRI-O, by containers/image.
  ['not-found', `${cri}: reading manifest 1 in mirror.example.com/acme/app: manifest unknown`],
  ['not-found', `${cri}: reading manifest 1 in mirror.example.com/acme/app: name unknown: repository name not known to registry`],
  ['unauthorized', `${cri}: reading manifest 1 in mirror.example.com/acme/app: unauthorized: authentication required`],
  ['unauthorized', `${cri}: reading manifest 1 in mirror.example.com/acme/app: denied: requested access to the resource is denied`],
  ['unauthorized', `${cri}: unable to retrieve auth token: invalid username/password: unauthorized: incorrect username or password`],
  [
    'too-many-requests',
    `${cri}: reading manifest 1 in mirror.example.com/acme/app: toomanyrequests: retry-after: 1m, allowed: 44000/minute`,
  ],
  [
    'unknown-host',
    `${cri}: pinging container registry mirror.example.com: Get "https://mirror.example.com/v2/": dial tcp: lookup mirror.example.com: no such host`,
  ],
  [
    'unreachable',
    `${cri}: pinging container registry mirror.example.com: Get "https://mirror.example.com/v2/": dial tcp 10.1.2.3:443: connect: connection refused`,
  ],
  ['unreachable', `${cri}: reading manifest 1 in mirror.example.com/acme/app: received unexpected HTTP status: 504 Gateway Time-out`],
  [
    'tls',
    `${cri}: pinging container registry mirror.example.com: Get "https://mirror.example.com/v2/": tls: failed to verify certificate: x509: certificate signed by unknown authority`,
  ],
  [
    'platform',
    'rpc error: code = Unknown desc = copying system image from manifest list: choosing image instance: no image found in image index for architecture "arm64", variant "v8", OS "linux"',
  ],
  // The kubelet's own, which no other registry would help with.
  ['unknown', 'pull QPS exceeded'],
  ['unknown', `Back-off pulling image "${image}"`],
  [
    'unknown',
    `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": failed to extract layer sha256:0a: write /var/lib/containerd/x: no space left on device: unknown`,
  ],
  ['unknown', 'rpc error: code = Canceled desc = context canceled'],
];

test('what the kubelet says about a pull', (t) => {
  for (const [code, message] of rows) {
    t.equal(pullFailureOf('ErrImagePull', image, [message]).code, code, message);
    // Since Kubernetes 1.32 a back-off repeats the cause.
    if (!message.startsWith('Back-off'))
      t.equal(
        pullFailureOf('ImagePullBackOff', image, [`Back-off pulling image "${image}": ErrImagePull: ${message}`]).code,
        code,
        message,
      );
  }
  t.end();
});

test('a name is no cause', (t) => {
  for (const name of ['quay.io/acme/not found', 'quay.io/acme/unauthorized:1', 'quay.io/acme/app:eof'])
    t.equal(pullFailureOf('ErrImagePull', name, [`Back-off pulling image "${name}"`]).code, 'unknown', name);
  t.end();
});

test('reasons without a message', (t) => {
  const table: readonly (readonly [PullReason, PullFailureCode])[] = [
    ['InvalidImageName', 'invalid-name'],
    ['ErrImageNeverPull', 'never-pulled'],
    ['ImagePullBackOff', 'unknown'],
  ];
  for (const [reason, code] of table) t.equal(pullFailureOf(reason, image, []).code, code, reason);
  t.ok(isPullReason('RegistryUnavailable'));
  for (const reason of ['CrashLoopBackOff', 'PodInitializing', 'ContainerCreating', 'SignatureValidationFailed', ''])
    t.notOk(isPullReason(reason), reason);
  t.end();
});
