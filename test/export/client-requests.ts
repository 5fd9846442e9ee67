/** Requests about pods as clients of every kind send them: server-side apply by several managers, patches of every type, subresources, validation of fields. */

const merge = 'application/merge-patch+json';
const strategic = 'application/strategic-merge-patch+json';
const jsonPatch = 'application/json-patch+json';
const apply = 'application/apply-patch+yaml';

/** Below the pods of the namespace. */
export interface Request {
  readonly method: string;
  readonly path: string;
  readonly query?: string;
  readonly type?: string;
  /** Of the stored pod where it is a function. */
  readonly body?: unknown;
}
export type Story = readonly [says: string, requests: readonly Request[]];

export const container = (name: string, image: string | null | undefined, more: object = {}): object => ({
  name,
  ...(image === undefined ? {} : { image }),
  ...more,
});
export const noToken = { automountServiceAccountToken: false };
export const pod = (containers: readonly object[], more: object = {}, metadata: object = {}): object => ({
  apiVersion: 'v1',
  kind: 'Pod',
  metadata: { name: 'web', ...metadata },
  spec: { containers, ...noToken, ...more },
});
export const create = (body: unknown, query = ''): Request => ({ method: 'POST', path: '', body, query });
const patch = (type: string, body: unknown, query = '', path = '/web'): Request => ({ method: 'PATCH', path, type, body, query });
const applied = (manager: string, body: unknown, more = ''): Request => patch(apply, body, `fieldManager=${manager}${more}`);
const debug = (type: string, body: unknown, query = ''): Request => patch(type, body, query, '/web/ephemeralcontainers');
export const two = [container('main', 'nginx:1'), container('side', 'quay.io/acme/app:1')];

export const stories: readonly Story[] = [
  [
    'server-side apply by two managers',
    [
      applied('a', pod(two)),
      applied('a', pod(two)),
      applied('b', pod([container('main', 'nginx:2')])),
      applied('b', pod([container('main', 'nginx:2')]), '&force=true'),
      applied('a', pod(two)),
      applied('a', pod(two), '&force=true'),
      applied('b', pod([container('main', 'nginx:1')])),
      applied('b', pod([container('main', 'mirror.example.com/hub/library/nginx:1')])),
      applied('a', pod([container('main', 'nginx:1')]), '&force=true'),
      applied('a', pod([container('main', undefined), container('side', 'quay.io/acme/app:1')]), '&force=true'),
      applied('a', pod([container('main', 'quay.io/kept/x'), container('side', 'attached.example.com/x')]), '&force=true'),
      applied('c', { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', labels: { tier: 'open' }, annotations: { note: 'x' } } }),
      applied('c', pod([container('main', 'redis:7')], {}, { labels: { tier: 'open' } }), '&force=true'),
      applied(
        'd',
        { apiVersion: 'v1', kind: 'Pod', metadata: { name: 'web', annotations: { 'transship.dev/original-images': '{"main":"x"}' } } },
        '&force=true',
      ),
      applied('d', pod([container('main', 'redis:8')], {}, { annotations: {} }), '&force=true'),
      applied('e', pod([...two, container('more', 'nginx:1')]), '&force=true'),
      debug(apply, pod([], { ephemeralContainers: [container('d1', 'busybox')], containers: undefined }), 'fieldManager=dbg'),
      debug(apply, pod([], { ephemeralContainers: [container('d2', 'quay.io/kept/x')], containers: undefined }), 'fieldManager=dbg2'),
      debug(apply, pod([], { ephemeralContainers: [container('d1', 'busybox:2')], containers: undefined }), 'fieldManager=dbg&force=true'),
    ],
  ],
  [
    'JSON patches',
    [
      create(pod(two)),
      patch(jsonPatch, [{ op: 'replace', path: '/spec/containers/0/image', value: 'nginx:3' }]),
      patch(jsonPatch, [{ op: 'test', path: '/spec/containers/0/image', value: 'nginx:3' }]),
      patch(jsonPatch, [
        { op: 'test', path: '/spec/containers/0/image', value: 'mirror.example.com/hub/library/nginx:3' },
        { op: 'copy', from: '/spec/containers/1/image', path: '/spec/containers/0/image' },
        { op: 'add', path: '/metadata/labels', value: { a: 'b' } },
      ]),
      patch(jsonPatch, [
        { op: 'replace', path: '/spec/containers/0/image', value: 'ghcr.io/a/b@sha256:' + 'a'.repeat(64) },
        { op: 'remove', path: '/metadata/annotations' },
      ]),
      patch(jsonPatch, [
        { op: 'remove', path: '/metadata/annotations/transship.dev~1original-images' },
        { op: 'replace', path: '/spec/containers/0/image', value: 'nginx:4' },
      ]),
      patch(jsonPatch, [{ op: 'replace', path: '/spec/containers/0/image', value: null }]),
      patch(jsonPatch, [{ op: 'remove', path: '/spec/containers/1' }]),
      patch(jsonPatch, [{ op: 'add', path: '/spec/containers/-', value: container('new', 'nginx') }]),
      patch(jsonPatch, [{ op: 'add', path: '/spec/imagePullSecrets/-', value: { name: 'x' } }]),
      debug(jsonPatch, [{ op: 'add', path: '/spec/ephemeralContainers', value: [container('d1', 'busybox')] }]),
      debug(jsonPatch, [
        {
          op: 'add',
          path: '/spec/ephemeralContainers/-',
          value: container('d2', 'quay.io/kept/x', { targetContainerName: 'main', imagePullPolicy: 'Never' }),
        },
      ]),
      debug(jsonPatch, [{ op: 'replace', path: '/spec/ephemeralContainers/0/image', value: 'busybox:2' }]),
      debug(jsonPatch, [
        { op: 'add', path: '/spec/ephemeralContainers/0', value: container('d3', 'ghcr.io/x/y') },
        { op: 'replace', path: '/spec/containers/0/image', value: 'nginx:9' },
        { op: 'add', path: '/metadata/labels', value: { sneaky: 'yes' } },
      ]),
    ],
  ],
  [
    'merge patches',
    [
      create(pod(two, { imagePullSecrets: [{ name: 'vendor-pull' }, { name: 'one' }] })),
      patch(merge, { spec: { containers: [container('main', 'nginx:2'), container('side', 'quay.io/kept/app:1')] } }),
      patch(merge, { spec: { containers: [container('side', 'quay.io/acme/app:1'), container('main', 'nginx:2')] } }),
      patch(merge, { metadata: { annotations: null }, spec: { containers: null } }),
      patch(merge, { metadata: { annotations: null } }),
      patch(strategic, { metadata: { annotations: null }, spec: { containers: [container('main', 'docker.io/redis')] } }),
      patch(strategic, { spec: { containers: [{ name: 'side', $patch: 'delete' }] } }),
      patch(strategic, { spec: { containers: [container('main', 'https://nope'), container('side', '')] } }),
      patch(strategic, { spec: { containers: [container('main', 'Nginx:BAD'), container('side', 'näme:1')] } }),
      patch(strategic, { spec: { $setElementOrder: undefined, containers: [container('main', ' nginx'), container('side', 'nginx ')] } }),
      patch(strategic, { spec: { initContainers: [container('init', 'nginx')] } }),
      debug(merge, { spec: { ephemeralContainers: [container('d1', 'busybox'), container('d2', 'quay.io/kept/x')] } }),
      debug(strategic, { spec: { ephemeralContainers: [container('d3', 'ghcr.io/x/y')] }, metadata: { annotations: { a: 'b' } } }),
      debug(merge, { spec: { ephemeralContainers: [] } }),
      debug(merge, { spec: { ephemeralContainers: null } }),
    ],
  ],
  [
    'other subresources',
    [
      create(pod([container('main', 'nginx:1', { resources: { requests: { cpu: '1m' } } }), container('side', 'quay.io/acme/app:1')])),
      patch(
        strategic,
        { spec: { containers: [container('main', 'nginx:7', { resources: { requests: { cpu: '2m' } } })] } },
        '',
        '/web/resize',
      ),
      patch(
        strategic,
        { spec: { containers: [container('main', undefined, { resources: { requests: { cpu: '2m' } } })] } },
        '',
        '/web/resize',
      ),
      patch(
        strategic,
        { spec: { containers: [container('main', 'nginx:8')] }, status: { phase: 'Running', containerStatuses: [] } },
        '',
        '/web/status',
      ),
      patch(merge, { status: { phase: 'Running' }, metadata: { labels: { 'transship.dev/rewrite': 'disabled' } } }, '', '/web/status'),
      patch(strategic, { spec: { containers: [container('main', 'nginx:9')] } }),
      patch(strategic, { metadata: { labels: { 'transship.dev/rewrite': null } }, spec: { containers: [container('main', 'nginx:10')] } }),
      {
        method: 'POST',
        path: '/web/binding',
        body: { apiVersion: 'v1', kind: 'Binding', metadata: { name: 'web' }, target: { kind: 'Node', name: 'n1' } },
      },
      patch(strategic, { spec: { containers: [container('main', 'ghcr.io/a/b:9')] } }),
    ],
  ],
  [
    'a scheduling gate',
    [
      create(pod(two, { schedulingGates: [{ name: 'wait' }] })),
      patch(strategic, {
        spec: {
          schedulingGates: [{ name: 'wait', $patch: 'delete' }],
          nodeSelector: { a: 'b' },
          containers: [container('main', 'nginx:2')],
        },
      }),
      patch(strategic, { spec: { nodeSelector: { a: 'b' }, containers: [container('main', 'nginx:3')] } }),
      patch(strategic, {
        metadata: { finalizers: ['x.example/y'] },
        spec: { activeDeadlineSeconds: 100, containers: [container('main', 'nginx:4')] },
      }),
      { method: 'DELETE', path: '/web' },
      patch(strategic, { spec: { containers: [container('main', 'nginx:5')] } }),
      patch(merge, { metadata: { finalizers: null } }),
    ],
  ],
  ...['', 'Strict', 'Warn', 'Ignore'].map((validation): Story => [
    `fieldValidation=${validation}`,
    [
      create(
        pod(
          [container('main', 'nginx:1', { unknown: 1, imagePullpolicy: 'Always' })],
          { imagePullSecret: [{ name: 'x' }] },
          { lables: {} },
        ),
        `fieldValidation=${validation}`,
      ),
      create(
        '{"apiVersion":"v1","kind":"Pod","metadata":{"name":"web","name":"web"},"spec":{"containers":[{"name":"main","image":"nginx:1","image":"quay.io/a"}],"automountServiceAccountToken":false}}',
        `fieldValidation=${validation}`,
      ),
      applied('a', pod([container('main', 'nginx:1', { unknown: 1 })]), `&fieldValidation=${validation}`),
      applied('a', pod([container('main', 'nginx:1')]), `&fieldValidation=${validation}`),
      patch(strategic, { spec: { containers: [container('main', 'nginx:2', { x: 1 })] } }, `fieldValidation=${validation}`),
      patch(merge, { spec: { y: 1, containers: [container('main', 'nginx:3', { x: 1 })] } }, `fieldValidation=${validation}`),
    ],
  ]),
  [
    'YAML',
    [
      {
        method: 'POST',
        path: '',
        type: 'application/yaml',
        body: 'apiVersion: v1\nkind: Pod\nmetadata: { name: web, labels: , annotations: ~ }\nspec: { automountServiceAccountToken: false, initContainers: , imagePullSecrets: ~, containers: [{ name: main, image: nginx:1 }] }\n',
      },
    ],
  ],
  [
    'no metadata',
    [
      create({ apiVersion: 'v1', kind: 'Pod', metadata: { generateName: 'web-' }, spec: { containers: two, ...noToken } }),
      create({ spec: { containers: two } }),
      create({ metadata: null, spec: { containers: two } }),
    ],
  ],
  [
    'a pod that is not there',
    [
      patch(strategic, { spec: { containers: two } }),
      { method: 'PUT', path: '/web', body: pod(two) },
      applied('a', pod(two), '&dryRun=All'),
    ],
  ],
];
