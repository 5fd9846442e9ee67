/** Messages of waiting containers, as containerd, CRI-O and the kubelet write them, and what each means. */
import { test } from 'tap';
import { isPullReason, pullFailureOf, type PullFailureCode, type PullReason } from '../../src/pod/pull-failure.ts';
import { namesImage } from '../../src/pod/pull-message.ts';

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
  ['unreachable', `${cri}: reading manifest 1 in mirror.example.com/acme/app: StatusCode: 503, "<html><body>access denied: x509 ..."`],
  ['not-found', `${cri}: reading manifest 1 in mirror.example.com/acme/app: StatusCode: 404, "unauthorized and toomanyrequests..."`],
  [
    'not-found',
    `${cri}: (Mirrors also failed: [node.example.com/acme/app:1: pinging container registry node.example.com: Get "https://node.example.com/v2/": x509: certificate signed by unknown authority]): mirror.example.com/acme/app:1: reading manifest 1 in mirror.example.com/acme/app: manifest unknown`,
  ],
  // cri-dockerd, by dockerd.
  [
    'not-found',
    `rpc error: code = Unknown desc = Error response from daemon: manifest for ${image} not found: manifest unknown: manifest unknown`,
  ],
  [
    'unauthorized',
    "rpc error: code = Unknown desc = Error response from daemon: pull access denied for mirror.example.com/acme/app, repository does not exist or may require 'docker login': denied: requested access to the resource is denied",
  ],
  [
    'unreachable',
    'rpc error: code = Unknown desc = Error response from daemon: Get "https://mirror.example.com/v2/": net/http: request canceled while waiting for connection (Client.Timeout exceeded while awaiting headers)',
  ],
  [
    'unreachable',
    'rpc error: code = Unknown desc = Error response from daemon: Get "https://mirror.example.com/v2/": dial tcp 10.1.2.3:443: connect: connection timed out',
  ],
  [
    'platform',
    'rpc error: code = Unknown desc = Error response from daemon: no matching manifest for linux/arm64/v8 in the manifest list entries',
  ],
  ...(
    [
      ['not-found', 404],
      ['unauthorized', 403],
      ['unreachable', 502],
      ['too-many-requests', 429],
    ] as const
  ).map(
    ([code, status]) =>
      [
        code,
        `rpc error: code = Unknown desc = Error response from daemon: error parsing HTTP ${status} response body: invalid character '<' looking for beginning of value: "<html>x509: no such host, denied: not found"`,
      ] as const,
  ),
  // The registry's answer is quoted, and says something else than its status: the status counts.
  [
    'unauthorized',
    `${resolve}: unexpected status from HEAD request to https://mirror.example.com/v2/acme/app/manifests/1: 403 Forbidden\ntoomanyrequests: x509: certificate: no such host`,
  ],
  [
    'not-found',
    `failed to copy: httpReadSeeker: failed open: content at https://mirror.example.com/v2/acme/app/blobs/sha256:0a not found: not found - Server message: toomanyrequests`,
  ],
  [
    'unauthorized',
    `${resolve}: pull access denied, repository does not exist or may require authorization: server message: toomanyrequests: no such host`,
  ],
  // A signature that is missing in one registry does not have to be there in another, and must not be got round there.
  [
    'signature',
    `${cri}: copying system image from manifest list: Source image rejected: A signature was required, but no signature exists`,
  ],
  [
    'signature',
    `image pull failed for ${image} because the signature validation failed: Source image rejected: Required email admin@example.com not found`,
  ],
  [
    'signature',
    `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": image verifier bindir blocked pull of ${image} with digest sha256:0a for reason: verifier rejected image (exit code 1): x509: certificate has expired`,
  ],
  // The node's own troubles, which no other registry helps with, and which say nothing about one.
  [
    'runtime',
    `rpc error: code = Unknown desc = failed to pull and unpack image "${image}": failed to extract layer sha256:0a: write /var/lib/containerd/x: no space left on device: unknown`,
  ],
  [
    'runtime',
    `rpc error: code = NotFound desc = failed to pull and unpack image "${image}": failed to extract layer (application/vnd.oci.image.layer.v1.tar+gzip sha256:0a) to overlayfs as "extract-1 sha256:0b": failed to mount /var/lib/containerd/tmpmounts/c: not found`,
  ],
  [
    'runtime',
    'rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: connection refused"',
  ],
  ['runtime', 'rpc error: code = Unavailable desc = error reading from server: EOF'],
  ['unreachable', `image pull failed for ${image} because the registry is unavailable: 418 is not known here`],
  // The kubelet's own, which no other registry would help with.
  ['unknown', 'pull QPS exceeded'],
  ['unknown', `Back-off pulling image "${image}"`],
  ['unknown', 'rpc error: code = Canceled desc = context canceled'],
];

test('what the kubelet says about a pull', (t) => {
  for (const [code, message] of rows) {
    t.equal(pullFailureOf('ErrImagePull', [image], [message]).code, code, message);
    // Since Kubernetes 1.32 a back-off repeats the cause.
    if (!message.startsWith('Back-off'))
      t.equal(
        pullFailureOf('ImagePullBackOff', [image], [`Back-off pulling image "${image}": ErrImagePull: ${message}`]).code,
        code,
        message,
      );
  }
  t.end();
});

test('a name is no cause', (t) => {
  for (const name of ['quay.io/acme/not found', 'quay.io/acme/unauthorized:1', 'quay.io/acme/app:eof'])
    t.equal(pullFailureOf('ErrImagePull', [name], [`Back-off pulling image "${name}"`]).code, 'unknown', name);
  t.end();
});

/** Each is a cause, where it is not a name. */
const words = [
  'toomanyrequests',
  'unauthorized',
  'x509',
  'certificate',
  'unreachable',
  'eof',
  'denied',
  'not-found',
  'no-such-host',
  'status-429',
];
const neutral = { host: 'mirror.example.com', path: 'acme/app', tag: '1' };
const named = (text: string, { host, path, tag }: typeof neutral): string =>
  text
    .replaceAll('mirror.example.com/acme/app:1', `${host}/${path}:${tag}`)
    .replaceAll('mirror.example.com', host)
    .replaceAll('acme/app', path)
    .replaceAll('manifests/1:', `manifests/${tag}:`)
    .replaceAll('manifests/1"', `manifests/${tag}"`)
    .replaceAll('[manifests 1]', `[manifests ${tag}]`)
    .replaceAll('manifest 1 in', `manifest ${tag} in`);

test('whoever writes an image chooses its name, and not the reason: three such pods opened the breaker of a registry for everybody', (t) => {
  const places = words.flatMap((word) => [
    { ...neutral, path: `acme/${word}` },
    { ...neutral, path: `${word}/${word}/x.${word}` },
    { ...neutral, tag: word },
    { ...neutral, host: `${word}.example.com` },
    { host: `${word}.example.com:5000`, path: `${word}/app`, tag: `1-${word}` },
  ]);
  for (const [code, message] of rows)
    for (const place of places) {
      const told = named(message, place);
      const written = named(image, place);
      const found = pullFailureOf('ErrImagePull', [written], [`Back-off pulling image "${written}": ErrImagePull: ${told}`]).code;
      if (found !== code) t.equal(found, code, told);
    }
  for (const place of places) {
    const written = named(image, place);
    const text = `${resolve}: failed to authorize: failed to fetch anonymous token: unexpected status from GET request to https://auth.example.com/token?scope=repository%3A${encodeURIComponent(place.path)}%3Apull&service=${place.host}: 404 Not Found`;
    t.equal(pullFailureOf('ErrImagePull', [written], [named(text, place)]).code, 'not-found', written);
  }
  t.end();
});

test('a message of the node comes to nothing slowly', (t) => {
  for (const text of [
    '"',
    '/',
    'lookup ',
    'manifest a in ',
    'StatusCode: 503, "',
    'mirror.example.com/acme/app:',
    '(Mirrors also failed: ]): ',
    '@a:0',
  ])
    t.equal(typeof pullFailureOf('ErrImagePull', [image, 'a', '/'], [text.repeat(200_000)]).code, 'string', text);
  t.end();
});

test('one image, and not one whose name begins or ends like it', (t) => {
  const table: readonly (readonly [text: string, of: string, isNamed: boolean])[] = [
    ['Back-off pulling image "nginx:1.27"', 'nginx:1.27', true],
    ['Back-off pulling image "nginx:1.27"', 'nginx:1', false],
    ['Back-off pulling image "nginx:1.27"', 'nginx', false],
    ['Back-off pulling image "nginx:latest"', 'nginx', true],
    ['failed to pull and unpack image "docker.io/library/nginx:1.27": not found', 'nginx:1.27', true],
    ['failed to pull and unpack image "docker.io/library/nginx:1.27": not found', 'library/nginx:1.27', true],
    ['initializing source docker://mirror.example.com/app:1: reading', 'mirror.example.com/app:1', true],
    ['mirror.example.com/app:1: not found', 'mirror.example.com/app:1', true],
    ['backup.mirror.example.com/app:1: not found', 'mirror.example.com/app:1', false],
    ['other/mirror.example.com/app:1: not found', 'mirror.example.com/app:1', false],
    ['mirror.example.com/app:1@sha256:0a', 'mirror.example.com/app:1', false],
    ['mirror.example.com/app:1.', 'mirror.example.com/app:1', true],
    ['anything', '', false],
  ];
  for (const [text, of, isNamed] of table) t.equal(namesImage(text, of), isNamed, `${of} in ${text}`);
  t.end();
});

test('reasons without a message', (t) => {
  const table: readonly (readonly [PullReason, PullFailureCode])[] = [
    ['InvalidImageName', 'invalid-name'],
    ['ErrImageNeverPull', 'never-pulled'],
    ['ImagePullBackOff', 'unknown'],
    ['ImageInspectError', 'runtime'],
    ['SignatureValidationFailed', 'signature'],
    ['RegistryUnavailable', 'unreachable'],
  ];
  for (const [reason, code] of table) t.equal(pullFailureOf(reason, [image], []).code, code, reason);
  t.ok(isPullReason('RegistryUnavailable'));
  const hung = 'rpc error: code = DeadlineExceeded desc = context deadline exceeded';
  t.equal(
    pullFailureOf('ImageInspectError', [image], [hung]).code,
    'runtime',
    'a runtime that hangs counted as a registry that does not answer',
  );
  t.equal(pullFailureOf('SignatureValidationFailed', [image], ['x509: certificate: not found']).code, 'signature');
  for (const reason of ['CrashLoopBackOff', 'PodInitializing', 'ContainerCreating', '']) t.notOk(isPullReason(reason), reason);
  t.end();
});
