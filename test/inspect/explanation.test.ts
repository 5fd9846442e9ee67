/** `why` over planted objects: what the API server has, has not, or does not let be read. */
import t from 'tap';
import { loadPolicy } from '../../src/config/load.ts';
import { gatherFacts } from '../../src/inspect/doctor/facts.ts';
import { findReleases } from '../../src/inspect/releases.ts';
import { explainPod } from '../../src/inspect/why/explanation.ts';
import { parseSubject } from '../../src/inspect/why/subject.ts';
import { configurationWith, policyText, release } from './facts.ts';
import { forbidden, viewOf, type Objects } from './planted.ts';

/** A configuration whose webhooks want no namespace; their Service is in this one. */
const excluding = (namespace: string) =>
  configurationWith((webhook) => {
    webhook.clientConfig.service = { namespace, name: 'a' };
    webhook.namespaceSelector = { matchLabels: { no: 'one' } };
  });
const passingOver = (revision: string) =>
  configurationWith((webhook) => {
    webhook.matchConditions = [{ name: 'an-image-is-concerned', expression: `// Of revision ${revision} of the policy.\nfalse` }];
  });
const configurations = '/apis/admissionregistration.k8s.io/v1/mutatingwebhookconfigurations';
const { compiled } = loadPolicy(policyText, 'policy.yaml');
const pod = (metadata: object = {}, status: object = {}) => ({
  metadata: { name: 'web', namespace: 'shop', creationTimestamp: '2026-06-01T00:00:00Z', ...metadata },
  spec: { containers: [{ name: 'main', image: 'nginx' }], imagePullSecrets: [{ name: 'mirror-pull' }] },
  status,
});
const shop = { metadata: { name: 'shop', labels: { 'transship.dev/rewrite': 'enabled' } } };
const base: Objects = {
  [configurations]: [release.configuration],
  '/api/v1/namespaces/shop': shop,
  '/api/v1/namespaces/shop/pods/web': pod(),
  '/api/v1/namespaces/shop/events': [],
};

const why = (objects: Objects, subject = 'pod/web', policy = compiled) =>
  explainPod(viewOf({ ...base, ...objects }), { namespace: 'shop', subject: parseSubject(subject), policy });
const workload = (kind: string, objects: Objects = {}, metadata: object = {}) =>
  why(
    {
      [`/apis/${kind === 'job' ? 'batch' : 'apps'}/v1/namespaces/shop/${kind}s/app`]: {
        metadata: { name: 'app', namespace: 'shop', ...metadata },
        spec: {
          selector: {
            matchLabels: { app: 'a' },
            matchExpressions: [
              { key: 'b', operator: 'In', values: ['c'] },
              { key: 'd', operator: 'NotIn', values: ['e'] },
              { key: 'f', operator: 'Exists' },
              { key: 'g', operator: 'DoesNotExist' },
            ],
          },
        },
      },
      '/api/v1/namespaces/shop/pods': [
        pod(),
        pod({ name: 'older', creationTimestamp: '2026-05-01T00:00:00Z' }),
        pod({ name: 'timeless', creationTimestamp: undefined }),
      ],
      ...objects,
    },
    `${kind}/app`,
  );

const labelled = (time: string) => ({
  ...shop.metadata,
  managedFields: [{ time, fieldsV1: { 'f:metadata': { 'f:labels': { 'f:transship.dev/rewrite': {} } } } }, { fieldsV1: {} }],
});

const rewritten = (record: string, image: string, by?: string) => {
  const { metadata, spec } = pod();
  const rules = by === undefined ? {} : { 'transship.dev/rewritten-by': JSON.stringify({ main: by }) };
  return {
    '/api/v1/namespaces/shop/pods/web': {
      metadata: { ...metadata, annotations: { 'transship.dev/original-images': JSON.stringify({ main: record }), ...rules } },
      spec: { ...spec, containers: [{ name: 'main', image }] },
    },
  };
};

const waiting = (reason: string, message: string) =>
  pod(
    {},
    {
      containerStatuses: [
        { name: 'main', state: { waiting: { reason, message } } },
        { name: 'other', state: {} },
      ],
    },
  );

const secret = (data: object, type = 'kubernetes.io/dockerconfigjson') => ({
  type,
  data: { '.dockerconfigjson': Buffer.from(JSON.stringify(data)).toString('base64') },
});

const pull = (reason: string, message: string, objects: Objects = {}) =>
  why({ '/api/v1/namespaces/shop/pods/web': waiting(reason, message), ...objects });

t.test('which rule and revision rewrote it, as the pod records them', async (tt) => {
  const table: readonly (readonly [by: string | undefined, rule: string | null, revision: string | null])[] = [
    ['gone@0123456789ab', 'gone', '0123456789ab'],
    ['a@b@0123456789ab', 'a@b', '0123456789ab'],
    ['foreign', 'hub', null],
    [undefined, 'hub', null],
  ];
  for (const [by, rule, revision] of table)
    tt.match((await why(rewritten('nginx', 'mirror.example.com/library/nginx', by))).containers, [{ rule, revision }], by ?? 'no record');
});

const explainMoved = async (image: string, to: string, more: object = {}) => {
  const record = { main: { step: 1, from: 'mirror.example.com/library/nginx', to, at: '2026-06-01T12:00:00Z', ...more } };
  const objects = rewritten('nginx', image);
  Object.assign(objects['/api/v1/namespaces/shop/pods/web'].metadata.annotations, { 'transship.dev/fallback': JSON.stringify(record) });
  return (await why(objects)).containers;
};

t.test('an image that the controller moved to an alternative', async (tt) => {
  for (const image of ['nginx', 'backup.example.com/nginx'])
    tt.match(await explainMoved(image, image), [
      { code: 'fell-back', reason: /alternative 1 .* since mirror\.example\.com\/library\/nginx could not be pulled/, isFinding: false },
    ]);
  tt.match(await explainMoved('nginx', 'another'), [{ code: 'changed-back', steps: [] }], 'a record of another image says nothing');
});

t.test('the steps of an image in their order, each with its reason', async (tt) => {
  const earlier = [
    { from: 'first.example.com/nginx', at: '2026-06-01T11:00:00Z', reason: 'unreachable' },
    { from: 'second.example.com/nginx', at: '2026-06-01T11:30:00Z' },
  ];
  const [container] = await explainMoved('nginx', 'nginx', { step: 3, reason: 'not-found', earlier });
  tt.match(
    container?.reason,
    /alternative 3 of the rule at 2026-06-01T12:00:00Z, since mirror\.example\.com\/library\/nginx could not be pulled \(the registry has no such image\)$/,
  );
  tt.strictSame(container?.steps, [
    { at: '2026-06-01T11:00:00Z', from: 'first.example.com/nginx', to: 'second.example.com/nginx', reason: 'unreachable' },
    { at: '2026-06-01T11:30:00Z', from: 'second.example.com/nginx', to: 'mirror.example.com/library/nginx', reason: null },
    { at: '2026-06-01T12:00:00Z', from: 'mirror.example.com/library/nginx', to: 'nginx', reason: 'not-found' },
  ]);
});

t.test('why nobody rewrote it', async (tt) => {
  const table: readonly (readonly [says: string, explained: ReturnType<typeof why>, code: string, remedy: RegExp])[] = [
    ['nobody was asked', why({}), 'webhook-not-asked', /transship doctor.*delete it/],
    ['no release', why({ [configurations]: [] }), 'no-webhook', /helm install/],
    ['releases that may not be read', why({ [configurations]: forbidden }), 'not-seen', /credentials/],
    [
      'older than the label',
      why({ '/api/v1/namespaces/shop': { metadata: labelled('2026-07-01T00:00:00Z') } }),
      'older-than-opt-in',
      /delete it/,
    ],
    [
      'younger than the label',
      why({ '/api/v1/namespaces/shop': { metadata: labelled('2026-05-01T00:00:00Z') } }),
      'webhook-not-asked',
      /restart/,
    ],
    ['a condition from the rules', why({ [configurations]: [passingOver('0123456789ab')] }), 'passed-over', /leave matchImages empty/],
    [
      'older than the webhook',
      why({ '/api/v1/namespaces/shop/pods/web': pod({ creationTimestamp: '2025-01-01T00:00:00Z' }) }),
      'older-than-opt-in',
      /delete it/,
    ],
    [
      'a pod without a time',
      why({ '/api/v1/namespaces/shop/pods/web': pod({ creationTimestamp: undefined }) }),
      'older-than-opt-in',
      /delete it/,
    ],
    ['a namespace that may not be read', why({ '/api/v1/namespaces/shop': forbidden }), 'not-opted-in', /kubectl label namespace shop/],
    [
      'the namespace of the release',
      why({
        [configurations]: [excluding('shop')],
      }),
      'release-namespace',
      /another namespace/,
    ],
    [
      'an excluded namespace',
      why({
        [configurations]: [excluding('images')],
      }),
      'excluded-namespace',
      /excludeNamespaces/,
    ],
    ['a deployment', workload('deployment'), 'webhook-not-asked', /kubectl rollout restart --namespace shop deployment\/app/],
    ['a job', workload('job'), 'webhook-not-asked', /delete it/],
    [
      'the label on a workload',
      workload('statefulset', { '/api/v1/namespaces/shop': {} }, { labels: { 'transship.dev/rewrite': 'enabled' } }),
      'label-on-workload',
      /kubectl patch --namespace shop statefulset app/,
    ],
  ];
  for (const [says, explained, code, remedy] of table) {
    const { containers, pod: name } = await explained;
    tt.match(containers, [{ code, remedy, isFinding: true }], says);
    tt.equal(name, 'web', says);
  }
});

t.test('what a rewritten pod says', async (tt) => {
  tt.match((await why(rewritten('nginx', 'mirror.example.com/library/nginx'))).containers, [{ code: 'rewritten', isFinding: false }]);
  tt.match((await why(rewritten('nginx', 'nginx'))).containers, [{ code: 'changed-back', isFinding: true }]);
  tt.match((await why(rewritten('nginx', 'before.example.com/nginx'))).containers, [
    { code: 'rewritten-by-another-policy', reason: /mirror\.example\.com/ },
  ]);
});

t.test('the pull', async (tt) => {
  const path = '/api/v1/namespaces/shop/secrets/mirror-pull';
  const missing = await pull('ImagePullBackOff', 'Back-off', {
    '/api/v1/namespaces/shop/events': [{ message: 'Failed to pull image "nginx": manifest unknown' }],
  });
  tt.match(missing.pulls, [{ code: 'not-found' }], 'from an event');
  tt.match(missing.secrets, [{ code: 'secret-missing' }]);
  for (const [message, code] of [
    ['no match for platform in manifest', 'platform'],
    ['401 Unauthorized', 'unauthorized'],
    ['toomanyrequests: slow down', 'too-many-requests'],
    ['dial tcp: lookup mirror: no such host', 'unknown-host'],
    ['x509: certificate signed by unknown authority', 'tls'],
    ['connect: connection refused', 'unreachable'],
    ['something else', 'unknown'],
  ] as const)
    tt.match((await pull('ErrImagePull', message)).pulls, [{ code }], message);
  tt.match((await pull('InvalidImageName', 'a')).pulls, [{ code: 'invalid-name' }]);
  tt.match((await pull('ErrImageNeverPull', 'a')).pulls, [{ code: 'never-pulled' }]);
  tt.strictSame((await pull('CrashLoopBackOff', 'a')).pulls, []);
  tt.match(
    (await pull('ErrImagePull', 'a', { [path]: secret({ auths: { 'other.example.com': { username: 'a', password: 'b' } } }) })).secrets,
    [{ code: 'secret-without-host' }],
  );
  tt.strictSame(
    (await pull('ErrImagePull', 'a', { [path]: secret({ auths: { 'https://index.docker.io/v1/': { username: 'a', password: 'b' } } }) }))
      .secrets,
    [],
  );
  tt.match((await pull('ErrImagePull', 'a', { [path]: secret({}, 'Opaque') })).secrets, [{ code: 'secret-unusable' }]);
  const unseen = await pull('ErrImagePull', 'a', { [path]: forbidden, '/api/v1/namespaces/shop/events': forbidden });
  tt.strictSame(unseen.secrets, [], 'a Secret that may not be read says nothing');
  tt.equal(unseen.notSeen.length, 2);
});

t.test('what cannot be answered', async (tt) => {
  const table: readonly (readonly [of: Promise<unknown>, message: RegExp])[] = [
    [why({ '/api/v1/namespaces/shop/pods/web': forbidden }), /no right to/],
    [why({}, 'pod/none'), /there is no pod none/],
    [workload('daemonset', { '/api/v1/namespaces/shop/pods': [] }), /daemonset app has no pod/],
    [workload('daemonset', { '/api/v1/namespaces/shop/pods': forbidden }), /no right to/],
    [why({ [configurations]: [] }, 'pod/web', null), /no release of transship is registered/],
    [why({ [configurations]: forbidden }, 'pod/web', null), /^your rights do not let the release be seen.*--policy$/],
    [why({}, 'pod/web', null), /the policy of release transship cannot be seen/],
  ];
  for (const [of, message] of table) await tt.rejects(of, { message });
  for (const text of ['web', 'pod/', 'svc/a', 'pod/a/b', '/a']) tt.throws(() => parseSubject(text), /is not one of pod, deployment/);
  tt.strictSame(parseSubject('STS/web'), { kind: 'statefulset', name: 'web' });
});

t.test('a release is put together from its objects', async (tt) => {
  const deployment = {
    metadata: { name: 'own-transship', labels: {} },
    spec: {
      template: {
        spec: {
          volumes: [
            { name: 'policy', configMap: { name: 'p', items: [{ key: 'policy.yaml' }] } },
            { name: 'hosts', configMap: { name: 'h' } },
            { name: 'tls', secret: { secretName: 'own-tls' } },
          ],
        },
      },
    },
  };
  const objects: Objects = {
    ...base,
    [configurations]: [
      { webhooks: release.configuration?.webhooks, metadata: { name: 'own', labels: { 'app.kubernetes.io/instance': 'own' } } },
      {},
    ],
    '/apis/apps/v1/namespaces/images/deployments': [deployment],
    '/api/v1/namespaces/images/configmaps/p': {
      metadata: { creationTimestamp: '2026-01-01T00:00:00Z', managedFields: [{ time: '2026-02-01T00:00:00Z' }, {}] },
      data: { 'policy.yaml': policyText },
    },
    '/api/v1/namespaces/images/configmaps/h': { data: { 'hosts.yaml': 'local: [' } },
    '/api/v1/namespaces': [shop, {}],
    '/api/v1/namespaces/shop/pods': forbidden,
    '/api/v1/namespaces/shop/secrets': [{ metadata: { name: 'mirror-pull' } }, {}],
    '/apis/apps/v1/deployments': forbidden,
    '/metrics': { a: 1 },
    '/version': { gitVersion: 'v1.36.0' },
  };
  const [own, empty] = (await findReleases(viewOf(objects))) ?? [];
  tt.match(own, {
    name: 'own',
    fullName: 'own-transship',
    namespace: 'images',
    policy: { key: 'policy.yaml', changed: new Date('2026-02-01') },
    hosts: 'local: [',
  });
  tt.match(empty, { name: '', namespace: '', policy: null, deployment: null });
  const gathered = await gatherFacts(viewOf(objects), false);
  tt.match(gathered, { workloads: null, version: 'v1.36.0', metrics: '{"a":1}' });
  tt.match(gathered.releases?.[0], {
    loaded: { compiled: null },
    certificate: undefined,
    lease: undefined,
    optedIn: [{ namespace: 'shop', pods: null }],
  });
  tt.match(
    await gatherFacts(
      viewOf({ [configurations]: forbidden, '/api/v1/namespaces': forbidden, '/version': forbidden, '/metrics': forbidden }),
      false,
    ),
    { releases: null, namespaces: null, version: null, metrics: null },
  );
});
