/** The checks of `doctor`, on facts: what each finds, and what it says when it cannot see. */
import t from 'tap';
import type { Facts, ReleaseFacts } from '../../src/inspect/doctor/facts.ts';
import { policyOf } from '../../src/inspect/policy.ts';
import { emptyStatus } from '../../src/registry/verify-status.ts';
import { configurationWith, facts, found, healthy, otherCa, policyText, release, withRelease } from './facts.ts';

const base64 = (text: string): string => Buffer.from(text).toString('base64');
const key = 'transship.dev/rewrite';
const year = 365 * 24 * 60 * 60_000;
const later = new Date(Date.now() + year);

t.strictSame(found(facts), [], 'the healthy cluster that the rows change');

const policy = (text: string): Partial<ReleaseFacts> => ({ loaded: policyOf({ ...release, policy: { ...release.policy!, text } }) });
const bundle = (caBundle: string): Partial<ReleaseFacts> => ({
  configuration: configurationWith(({ clientConfig }) => {
    clientConfig.caBundle = caBundle;
  }),
});
const status = (container: object, conditions: object[] = []) =>
  ({
    deployment: { spec: { replicas: 1, selector: {}, template: {} } },
    endpoints: [],
    pods: [{ status: { conditions, containerStatuses: 'name' in container ? [container] : [] } }],
  }) as unknown as Partial<ReleaseFacts>;

const present = healthy.loaded!.compiled!.revision;
const probed = (image: string, revision: string | null): Partial<ReleaseFacts> => ({
  probe: { probe: healthy.probe!.probe, image, revision },
});
const withCopies = (change: Partial<ReleaseFacts['copies']>): Facts => withRelease({ copies: { ...healthy.copies, ...change } });
const copy = (state: 'absent' | 'stale' | 'foreign' | 'equivalent', changed: Date | null = null) => ({
  namespace: 'shop',
  name: 'mirror-pull',
  registry: 'mirror',
  state,
  changed,
});
const lacking = (image: string, registry: string) => ({ image, registry, source: image, since: '2026-06-01T12:00:00.000Z' });
const dispute = (age: number) => ({
  reason: 'CopyDisputed',
  note: 'somebody changes it',
  eventTime: new Date(facts.now.getTime() - age).toISOString(),
  regarding: { namespace: 'shop', name: 'mirror-pull' },
});
/** As `validatingPolicy` of the chart writes it. */
const registriesPolicy = (
  prefixes: readonly string[] | string,
  namespaceSelector: object = { matchLabels: { [key]: 'enabled' } },
): Facts => ({
  ...facts,
  policies: [
    {
      metadata: { name: 'transship-registries' },
      spec: {
        matchConstraints: { namespaceSelector },
        variables: [{ name: 'prefixes', expression: typeof prefixes === 'string' ? prefixes : JSON.stringify(prefixes) }],
      },
    },
  ],
  bindings: [{ spec: { policyName: 'transship-registries', validationActions: ['Deny'] } }],
});

const withRegistries = (text: string, prefixes: readonly string[]): Facts => {
  const { loaded = null } = policy(text);
  const revision = loaded?.compiled?.revision ?? null;
  const revisions = healthy.revisions?.map(({ pod }) => ({ pod, revision })) ?? null;
  return { ...registriesPolicy(prefixes), releases: [{ ...healthy, loaded, revisions }] };
};
const toImage = (image: string): string => policyText.replace('registry: mirror, as: path', `as: image, image: '${image}'`);

const controller = (creationTimestamp: Date) => ({
  kind: 'deployment',
  metadata: { name: 'transship-controller', namespace: 'images', creationTimestamp },
});

const rows: readonly (readonly [says: string, of: Facts, ...expected: RegExp[]])[] = [
  ['a caBundle that is empty', withRelease(bundle('')), /^ca-bundle: caBundle of enforce.*is empty/],
  ['a caBundle that is no certificate', withRelease(bundle(base64('x'))), /^ca-bundle: .*no CA certificate/, /^certificate: .*not signed/],
  ['a caBundle of another CA', withRelease(bundle(base64(otherCa.cert))), /^certificate: the certificate is not signed/],
  [
    'everything has expired',
    { ...facts, now: later },
    /^ca-bundle: .*valid now/,
    /^certificate: .*and not now/,
    /^controller: .*not renewed/,
  ],
  ['no Secret of the certificate', withRelease({ certificate: undefined }), /^certificate: the Secret .*does not exist/],
  [
    'a Secret without a certificate',
    withRelease({ certificate: { metadata: { name: 'tls' } } }),
    /^certificate: Secret tls holds no certificate/,
  ],
  ['a Secret that may not be read', withRelease({ certificate: null }), /^certificate not-seen/],
  [
    'no webhooks at all',
    withRelease({ configuration: {} }),
    /no webhook enforce/,
    /no webhook shadow/,
    /no webhook pod-enforce/,
    /no webhook pod-shadow/,
  ],
  ['no Deployment', withRelease({ deployment: null, endpoints: [] }), /^replicas: release transship has no Deployment/],
  [
    'a Deployment that may not be read',
    withRelease({ deployment: null, pods: null, endpoints: null }),
    /^replicas not-seen/,
    /^endpoints not-seen/,
  ],
  [
    'a container that ended',
    withRelease(status({ name: 'a', ready: false, lastState: { terminated: { message: 'one\npolicy.yaml:1:1: error\n' } } })),
    /^replicas: 0 of 1.*: policy\.yaml:1:1: error/,
  ],
  [
    'a container that ends',
    withRelease(status({ name: 'a', ready: false, state: { terminated: { message: 'it broke' } } })),
    /^replicas: .*it broke/,
  ],
  [
    'a container that waits',
    withRelease(status({ name: 'a', ready: false, state: { waiting: { reason: 'ImagePullBackOff', message: 'no' } } })),
    /^replicas: .*ImagePullBackOff no/,
  ],
  ['a container that says nothing', withRelease(status({ name: 'a', ready: false })), /^replicas: 0 of 1 replicas are ready$/],
  ['a container that is ready, of too few', withRelease(status({ name: 'a', ready: true })), /^replicas: 0 of 1 replicas are ready$/],
  [
    'a pod that no node takes',
    withRelease(status({}, [{ type: 'PodScheduled', status: 'False', message: 'too little memory' }])),
    /^replicas: .*too little memory/,
  ],
  [
    'an endpoint that is not ready',
    withRelease({ endpoints: [{ addressType: 'IPv4', endpoints: [{ addresses: [], conditions: { ready: false } }] }] }),
    /^endpoints: /,
  ],
  ['no policy', withRelease({ loaded: null }), /^policy-revision not-seen/, /^policy: the policy of release transship is not/],
  ['a wrong policy', withRelease(policy('rulez: 1')), /^policy-revision not-seen/, /^policy: policy\.yaml of ConfigMap.*has errors/],
  ['secrets that may not be read', withRelease({ optedIn: [{ namespace: 'shop', pods: null, secrets: null }] }), /^pull-secrets not-seen/],
  [
    'a secret is missing',
    withRelease({ optedIn: [{ namespace: 'shop', pods: [], secrets: new Set() }] }),
    /^pull-secrets: namespace shop has no Secret mirror-pull/,
  ],
  [
    'namespaces that may not be read',
    { ...withRelease({ optedIn: null }), namespaces: null },
    /^pull-secrets not-seen/,
    /^image-managers not-seen/,
    /^namespace-labels not-seen/,
    /^one-release not-seen/,
  ],
  [
    'a policy without secrets',
    withRelease({ ...policy(policyText.replace('pullSecrets: [mirror-pull]', 'pullSecrets: []')), optedIn: [], revisions: null }),
    /^policy-revision not-seen/,
  ],
  [
    'a pod of an image manager',
    withRelease({
      optedIn: [
        {
          namespace: 'shop',
          pods: [{ metadata: { name: 'a', labels: { 'olm.catalogSource': 'b' } } }, {}],
          secrets: new Set(['mirror-pull']),
        },
      ],
    }),
    /^image-managers: .*olm.*shop\/a/,
  ],
  [
    'a policy without a binding',
    { ...facts, bindings: [] },
    /^validating-policy: ValidatingAdmissionPolicy transship-labels has no binding/,
  ],
  ['a policy without a name', { ...facts, policies: [{}], bindings: [] }],
  ['policies that may not be read', { ...facts, policies: null }, /^validating-policy not-seen/, /^final-state not-seen/],
  ['bindings that may not be read', { ...facts, bindings: null }, /^validating-policy not-seen/],
  [
    'a binding without a policy',
    { ...facts, bindings: [...facts.bindings!, { metadata: { name: 'b' }, spec: { policyName: 'gone', validationActions: [] } }] },
    /^validating-policy: ValidatingAdmissionPolicyBinding b is for gone, which does not exist/,
  ],
  [
    'a warning of the type check',
    {
      ...facts,
      policies: [
        {
          metadata: { name: 'transship-labels' },
          status: {
            typeChecking: {
              expressionWarnings: [{ fieldRef: 'spec.validations[0].expression', warning: '\nv1, Kind=Pod: ERROR: no such field' }],
            },
          },
        },
      ],
    },
    /^validating-policy: .*spec\.validations\[0\]\.expression: v1, Kind=Pod: ERROR: no such field$/,
  ],
  ['a target that the final state allows', registriesPolicy(['mirror.example.com/'])],
  [
    'a target that the final state does not allow',
    registriesPolicy(['mirror.example.com/team/']),
    /^final-state: .*does not allow mirror\.example\.com/,
  ],
  [
    'a final state of other namespaces',
    registriesPolicy(['mirror.example.com/'], { matchLabels: { team: 'a' } }),
    /^final-state: .*take different namespaces: shop \(rewritten and not judged\)/,
  ],
  [
    'a final state of more namespaces',
    { ...registriesPolicy(['mirror.example.com/'], {}), namespaces: [...(facts.namespaces ?? []), { metadata: { name: 'other' } }] },
    /^final-state: .*take different namespaces: other \(judged and not rewritten\)/,
  ],
  ['one image that the final state allows', withRegistries(toImage('other.example.com/app:1'), ['other.example.com/app:'])],
  [
    'one image without a tag',
    withRegistries(
      toImage('other.example.com/app'),
      ['/', ':', '@'].map((end) => `other.example.com/app${end}`),
    ),
  ],
  [
    'one image that the final state does not allow',
    withRegistries(toImage('other.example.com/app:1'), ['other.example.com/apps/']),
    /^final-state: .*does not allow other\.example\.com\/app:1/,
  ],
  ['a registry with a path', withRegistries(policyText.replace('host: mirror.example.com', 'host: a.example.com/b'), ['a.example.com/b/'])],
  ['an expression of the final state that was edited', registriesPolicy('variables.other')],
  ['a list of the final state that is none', registriesPolicy('{"a": 1}')],
  ['a final state without a selector', { ...registriesPolicy([]), policies: [{ metadata: { name: 'transship-registries' } }] }],
  ['no probe', withRelease({ probe: null }), /^reachable not-seen/],
  [
    'a probe that stays as it was',
    withRelease(probed('nginx', null)),
    /^reachable: the API server does not reach the webhook, and creates pods as/,
  ],
  [
    'a probe that stays as it was, for a reason that is known',
    withRelease({ ...probed('nginx', null), endpoints: [] }),
    /^endpoints: /,
    /^reachable not-seen/,
  ],
  [
    'a probe that a condition of the values may except',
    withRelease({
      ...probed('nginx', null),
      configuration: configurationWith((webhook) => {
        webhook.matchConditions = [{ name: 'own', expression: 'false' }];
      }),
    }),
    /^reachable not-seen/,
  ],
  [
    'a probe that is refused since the webhook cannot be called',
    withRelease({ probe: { probe: healthy.probe!.probe, failure: 'failed calling webhook "enforce.transship.dev"', of: 'webhook' } }),
    /^reachable: .*refuses pods: failed calling webhook/,
  ],
  [
    'a probe that another webhook changed',
    withRelease(probed('other.example.com/nginx', present)),
    /^reachable: the webhook is reached, and another one changes/,
  ],
  [
    'a replica with an older policy',
    withRelease({
      revisions: [
        { pod: 'a', revision: present },
        { pod: 'b', revision: 'old' },
      ],
    }),
    /^policy-revision: revision \w+ of the policy.*, and b has old$/,
  ],
  [
    'a registry that nodes do not reach: told, and no problem',
    withRelease({ revised: facts.now, loaded: policyOf({ ...release, hosts: 'mirror: { unavailable: true }\n' }) }),
    /^registries: nodes do not reach registry mirror \(mirror.example.com\), so new pods begin with the next alternative of their rule$/,
  ],
  [
    'a replica with an older policy, just after the change',
    withRelease({
      revisions: [{ pod: 'b', revision: 'old' }],
      revised: new Date(facts.now.getTime() - 60_000),
    }),
  ],
  ['replicas whose metrics may not be read', withRelease({ revisions: [{ pod: 'a', revision: null }] }), /^policy-revision not-seen/],
  [
    'replicas whose metrics may not be read, and an answer of an older policy',
    withRelease({ revisions: [{ pod: 'a', revision: null }], ...probed('mirror.example.com/nginx', 'old') }),
    /^policy-revision: .*one answered with old$/,
  ],
  [
    'one replica whose metrics may not be read, and an answer of this policy',
    withRelease({
      revisions: [{ pod: 'a', revision: null }],
      deployment: { spec: { replicas: 1, selector: {}, template: {} }, status: { readyReplicas: 1 } },
    }),
  ],
  ['copies that may not be read', withCopies({ wanted: null }), /^copies not-seen/],
  ['events that may not be read', withCopies({ events: null }), /^copies not-seen/],
  ['nothing is missing in a registry that is asked', withRelease({ verify: emptyStatus })],
  ['what registries lack may not be read', withRelease({ verify: null }), /^missing-images not-seen/],
  [
    'images that registries lack',
    withRelease({ verify: { ...emptyStatus, missing: [lacking('a', 'one'), lacking('b', 'one'), lacking('a', 'two')] } }),
    /^missing-images: registry one lacks 2 images that pods need: a, b$/,
    /^missing-images: registry two lacks an image that pods need: a$/,
  ],
  [
    'a registry that refuses the controller',
    withRelease({
      verify: { ...emptyStatus, problems: [{ registry: 'one', result: 'unauthorized', reason: 'it answered 401', since: 'then' }] },
    }),
    /^missing-images: registry one does not tell the controller which images it has, since then: it answered 401$/,
  ],
  ['a copy that is missing', withCopies({ wanted: [copy('absent')] }), /^copies: .*are missing: shop\/mirror-pull$/],
  ['many copies that are missing', withCopies({ wanted: Array.from({ length: 5 }, () => copy('absent')) }), /^copies: .* and 2 more$/],
  ['a copy that is about to be written', withCopies({ wanted: [copy('absent', new Date(facts.now.getTime() - 3_000))] })],
  ['a Secret of somebody else', withCopies({ wanted: [copy('foreign')] }), /^copies: .*cannot be written, since .*: shop\/mirror-pull$/],
  ['a Secret of somebody else with the same credentials', withCopies({ wanted: [copy('equivalent')] })],
  ['a stale copy', withCopies({ wanted: [copy('stale')] }), /^copies: .*have not the content of their source: shop\/mirror-pull/],
  [
    'a source that is missing',
    withCopies({ wanted: [copy('absent')], sources: [{ registry: 'mirror', secret: 's', problem: 'Secret images/s does not exist' }] }),
    /^copies: the credentials of registry mirror cannot be copied: Secret images\/s does not exist/,
  ],
  [
    'a copy in dispute, told twice, though Secrets may not be read',
    withCopies({ wanted: null, events: [dispute(60_000), dispute(120_000)] }),
    /^copies: copy shop\/mirror-pull: somebody changes it/,
  ],
  ['a dispute that is over', withCopies({ events: [dispute(20 * 60_000)] })],
  ['no clock', { ...facts, clock: null }, /^clock not-seen/],
  ['Leases of nodes that may not be read', { ...facts, nodeLeases: null }, /^clock not-seen/],
  [
    'a machine behind',
    { ...facts, clock: { ahead: 60_000, uncertainty: 600 } },
    /^clock: the clock of this machine is 60 s behind the API server's/,
  ],
  [
    'a machine ahead, though Leases may not be read',
    { ...facts, nodeLeases: null, clock: { ahead: -60_000, uncertainty: 600 } },
    /^clock: .*60 s ahead of/,
  ],
  ['a machine that may be right', { ...facts, clock: { ahead: 60_000, uncertainty: 60_000 } }],
  [
    'nodes ahead',
    {
      ...facts,
      nodeLeases: ['a', 'b', 'c', 'd'].map((name) => ({ metadata: { name }, spec: { renewTime: new Date(facts.now.getTime() + 60_000) } })),
    },
    /^clock: .*node a by 60 s, node b by 60 s, node c by 60 s and 1 more/,
  ],
  ['no Lease, and no controller', withRelease({ lease: undefined, controller: 'none' })],
  [
    'the Lease of a controller that no feature needs any more: it was told as one that fails',
    withRelease({ lease: {}, controller: 'none' }),
  ],
  [
    'a controller that was deleted',
    withRelease({ lease: {}, controller: 'deleted' }),
    /^controller: Deployment transship-controller does not exist, though its ServiceAccount does/,
  ],
  ['a controller that cannot be seen, and its Lease', withRelease({ controller: null })],
  [
    'no Lease, though there is a controller',
    { ...withRelease({ lease: undefined }), workloads: [controller(new Date('2026-01-01'))] },
    /^controller: Deployment transship-controller has taken no Lease/,
  ],
  ['no Lease of a controller that was just installed', { ...withRelease({ lease: undefined }), workloads: [controller(new Date())] }],
  ['a Lease that may not be read', withRelease({ lease: null }), /^controller not-seen/],
  ['a Lease that nobody holds', withRelease({ lease: {} }), /^controller: .*for any time \(held by nobody\)/],
  ['an old Kubernetes', { ...facts, version: 'v1.30.1' }, /^kubernetes-version: Kubernetes v1\.30\.1 is not one of/],
  ['a new Kubernetes', { ...facts, version: '1.99.0' }, /^kubernetes-version: /],
  ['a version that is none', { ...facts, version: 'main' }, /^kubernetes-version: /],
  ['a version that may not be read', { ...facts, version: null }, /^kubernetes-version not-seen/],
  ['metrics that may not be read', { ...facts, metrics: null }, /^fail-open not-seen/],
  [
    'calls that failed',
    {
      ...facts,
      metrics:
        'apiserver_admission_webhook_fail_open_count{name="enforce.transship.dev",type="admit"} 3\napiserver_admission_webhook_fail_open_count{name="other.io"} 9\napiserver_admission_webhook_fail_open_count{name="shadow.transship.dev"} 0\n',
    },
    /^fail-open: 3 calls of enforce\.transship\.dev/,
  ],
  [
    'two releases for one namespace',
    { ...facts, releases: [healthy, { ...healthy, name: 'second' }] },
    /^one-release: namespace shop is wanted by the releases images\/transship and images\/second/,
  ],
  ['workloads that may not be read', { ...facts, workloads: null }, /^workload-labels not-seen/],
  ['a workload without anything', { ...facts, workloads: [{ kind: 'deployment' }], namespaces: [{}] }],
  [
    'a label that one of two releases knows',
    {
      ...facts,
      namespaces: [{ metadata: { name: 'a', labels: { [key]: 'second' } } }],
      releases: [
        healthy,
        {
          ...healthy,
          configuration: configurationWith((webhook, index) => {
            if (index === 0) webhook.namespaceSelector = { matchExpressions: [{ key, operator: 'In', values: ['second'] }] };
          }),
        },
      ],
    },
  ],
  [
    'releases that may not be read',
    { ...facts, releases: null },
    /^registered not-seen/,
    /^webhooks not-seen/,
    /^ca-bundle not-seen/,
    /^certificate not-seen/,
    /^replicas not-seen/,
    /^endpoints not-seen/,
    /^reachable not-seen/,
    /^policy-revision not-seen/,
    /^match-images not-seen/,
    /^fail-open not-seen/,
    /^admission-policy not-seen/,
    /^admission-policy-revision not-seen/,
    /^enforced not-seen/,
    /^policy not-seen/,
    /^registries not-seen/,
    /^pull-secrets not-seen/,
    /^image-managers not-seen/,
    /^controller not-seen/,
    /^copies not-seen/,
    /^missing-images not-seen/,
    /^final-state not-seen/,
    /^namespace-labels not-seen/,
    /^workload-labels not-seen/,
    /^one-release not-seen/,
  ],
];

for (const [says, of, ...expected] of rows)
  t.test(says, (tt) => {
    const told = found(of);
    tt.equal(told.length, expected.length, told.join('\n'));
    for (const [index, pattern] of expected.entries()) tt.match(told[index], pattern);
    tt.end();
  });
