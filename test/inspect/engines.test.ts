/** A release whose policy the API server itself evaluates: how it is found, what `doctor` says of it, and what `why` says of its pods. */
import type { V1MutatingAdmissionPolicy, V1MutatingAdmissionPolicyBinding, V1MutatingAdmissionPolicySpec } from '@kubernetes/client-node';
import t from 'tap';
import { parseAllDocuments } from 'yaml';
import { recordedRevision } from '../../src/export/admission-policy/patch.ts';
import { runChecks } from '../../src/inspect/doctor/check.ts';
import { checks } from '../../src/inspect/doctor/checks.ts';
import { ownConditions } from '../../src/export/admission-policy/scope.ts';
import { gatherFacts, type Facts, type ReleaseFacts } from '../../src/inspect/doctor/facts.ts';
import { probe } from '../../src/inspect/doctor/probe.ts';
import { labelMistake, modeFor, optInValue, whyNotOptedIn } from '../../src/inspect/opt-in.ts';
import { policyOf } from '../../src/inspect/policy.ts';
import { findReleases, type Release } from '../../src/inspect/releases.ts';
import { explainPod } from '../../src/inspect/why/explanation.ts';
import { parseSubject } from '../../src/inspect/why/subject.ts';
import { exportedPolicy } from '../charts/exported-policy.ts';
import { facts, found, healthy as withWebhook, policyText, release as webhookRelease } from './facts.ts';
import { forbidden, viewOf, type Objects } from './planted.ts';

const key = 'transship.dev/rewrite';
const created = '2026-05-01T00:00:00Z';
const [policyDocument, ...bindingDocuments] = parseAllDocuments(exportedPolicy({ excludedNamespaces: ['images', 'infra'] }, policyText));
const annotations = {
  'transship.dev/release-namespace': 'images',
  'transship.dev/policy': 'transship-policy/policy.yaml',
  'transship.dev/resolved-hosts': 'transship-hosts',
};
const labels = { 'app.kubernetes.io/part-of': 'transship', 'app.kubernetes.io/instance': 'transship' };
const admissionPolicy: V1MutatingAdmissionPolicy = policyDocument?.toJS();
const bindings = bindingDocuments.map((document): V1MutatingAdmissionPolicyBinding => {
  const binding: V1MutatingAdmissionPolicyBinding = document.toJS();
  Object.assign(binding.metadata ?? {}, { labels, annotations, creationTimestamp: created });
  return binding;
});

const release: Release = {
  ...webhookRelease,
  service: '',
  configuration: null,
  bindings,
  admissionPolicy,
  deployment: null,
  pods: [],
};
const healthy: ReleaseFacts = {
  ...withWebhook,
  ...release,
  revisions: [],
  endpoints: [],
  certificate: null,
};
const alone: Facts = { ...facts, releases: [healthy] };
const withRelease = (change: Partial<ReleaseFacts>): Facts => ({ ...alone, releases: [{ ...healthy, ...change }] });
const changed = <T extends object>(object: T, change: Partial<T>): T => Object.assign(structuredClone(object), change);
const spec = (change: Partial<V1MutatingAdmissionPolicySpec>) => ({
  admissionPolicy: changed(admissionPolicy, { spec: changed(admissionPolicy.spec ?? {}, change) }),
});
const probed = healthy.probe!.probe;
const revision = healthy.loaded!.compiled!.revision;
const both = (change: Partial<ReleaseFacts> = {}): Facts => ({
  ...facts,
  releases: [{ ...withWebhook, bindings, admissionPolicy, ...change }],
});
const failed = { probe: probed, failure: 'an expression resulted in error', of: 'admission policy' } as const;
const changedNow = { revised: facts.now };
const stale = spec({ variables: [{ name: 'rewritten', expression: '"@0123456789ab"' }] });
const metrics = (labelsText: string, value: number) => `apiserver_mutating_admission_policy_check_total{${labelsText}} ${value}\n`;

const rows: readonly (readonly [says: string, of: Facts, ...expected: RegExp[]])[] = [
  ['the healthy one', alone],
  ['both engines: by which of the two the pod was rewritten cannot be told', both(), /^reachable not-seen/, /^enforced not-seen/],
  [
    'the policy is gone',
    withRelease({ admissionPolicy: undefined }),
    /^admission-policy: MutatingAdmissionPolicy transship does not exist: its bindings do nothing/,
    /^admission-policy-revision not-seen/,
  ],
  [
    'the policy may not be read',
    withRelease({ admissionPolicy: null }),
    /^admission-policy not-seen/,
    /^admission-policy-revision not-seen/,
  ],
  [
    'a binding is gone',
    withRelease({ bindings: bindings.slice(0, 1) }),
    /^admission-policy: MutatingAdmissionPolicyBinding transship-pods does not exist/,
  ],
  [
    'a binding is gone, and the policy may not be read',
    withRelease({ bindings: bindings.slice(1), admissionPolicy: null }),
    /^admission-policy: MutatingAdmissionPolicyBinding transship-namespaces does not exist/,
    /^admission-policy-revision not-seen/,
  ],
  [
    'somebody took updates out of it',
    withRelease(spec({ matchConstraints: { resourceRules: [{ resources: ['pods'], operations: ['CREATE'] }] } })),
    /^admission-policy: .*does not ask for pods on CREATE and UPDATE: it was edited/,
  ],
  ['an older policy', withRelease(stale), /^admission-policy-revision: revision .* is in the ConfigMap, and .* is of 0123456789ab/],
  ['a policy without a revision', withRelease(spec({ variables: [] })), /^admission-policy-revision: .* is of none/],
  ['an older policy, just after the change', withRelease({ ...stale, ...changedNow })],
  [
    'a policy that does not load: another check tells it',
    withRelease({ loaded: policyOf({ ...release, policy: { ...release.policy!, text: 'rules: [' } }), probe: null }),
    /^admission-policy-revision not-seen/,
    /^enforced not-seen/,
    /^policy: .*has errors/,
  ],
  [
    'no policy in the ConfigMap',
    withRelease({ loaded: null }),
    /^admission-policy-revision not-seen/,
    /^policy: .*is not in its ConfigMap/,
  ],
  ['no dry run', withRelease({ probe: null }), /^enforced not-seen/],
  [
    'nothing is rewritten',
    withRelease({ probe: { probe: probed, image: 'nginx', revision: null } }),
    /^enforced: the API server creates pods as they are written: nginx in namespace shop stays nginx/,
  ],
  [
    'nothing is rewritten, and another check tells why',
    withRelease({ probe: { probe: probed, image: 'nginx', revision: null }, admissionPolicy: undefined }),
    /^admission-policy: /,
    /^admission-policy-revision not-seen/,
    /^enforced not-seen/,
  ],
  [
    'nothing is rewritten, and a condition of the values may except the pod',
    withRelease({
      probe: { probe: probed, image: 'nginx', revision: null },
      ...spec({ matchConditions: [{ name: 'mine', expression: 'false' }] }),
    }),
    /^enforced not-seen/,
  ],
  [
    'something else changes the result',
    withRelease({ probe: { probe: probed, image: 'other', revision } }),
    /^enforced: the policy is applied, and something else changes its result/,
  ],
  ['an answer of another policy', withRelease({ probe: { probe: probed, image: 'other', revision: '0123456789ab' } })],
  [
    'an expression fails',
    withRelease({ probe: failed }),
    /^enforced: an expression .* fails, and the API server refuses pods: an expression/,
  ],
  ['an expression fails, with both engines', both({ probe: failed }), /^reachable not-seen/, /^enforced: an expression /],
  [
    'expressions that failed before',
    { ...alone, metrics: metrics('error_type="out_of_budget",policy="transship",policy_binding="transship-pods"', 3) },
    /^fail-open: 3 evaluations of MutatingAdmissionPolicy transship failed .*out_of_budget/,
  ],
  [
    'expressions that did not fail, or are those of others',
    {
      ...alone,
      metrics: [
        metrics('error_type="no_error",policy="transship",policy_binding="transship-pods"', 3),
        metrics('error_type="compile_error",policy="other",policy_binding="b"', 3),
        metrics('error_type="compile_error",policy="transship",policy_binding="b"', 0),
      ].join(''),
    },
  ],
  [
    'both, and the configuration of the webhook is gone',
    both({ configuration: null }),
    /^webhooks: release transship has a Deployment of the webhook and no MutatingWebhookConfiguration/,
    /^reachable not-seen/,
  ],
];

for (const [says, of, ...expected] of rows)
  t.test(`doctor: ${says}`, (tt) => {
    const told = found(of);
    tt.equal(told.length, expected.length, told.join('\n'));
    for (const [index, pattern] of expected.entries()) tt.match(told[index], pattern);
    tt.end();
  });

const idsOf = (of: Facts): Set<string> => new Set(runChecks(checks, of).map(({ id }) => id));

t.test('neither engine, and a controller that is there', (tt) => {
  const metadata = { name: 'transship-controller', labels: { ...labels, 'app.kubernetes.io/component': 'controller' } };
  const workloads = [
    { kind: 'deployment', metadata: { name: 'web' } },
    { kind: 'deployment', metadata },
  ];
  const [registered] = runChecks(checks, { ...facts, releases: [], workloads, version: 'v1.35.1' });
  tt.match(registered?.problems, [
    {
      sentence: /no MutatingAdmissionPolicyBinding .*, though Deployment transship-controller is there/,
      remedy: /Kubernetes v1\.35\.1 must serve/,
    },
  ]);
  const [without] = runChecks(checks, { ...facts, releases: [], workloads: null, version: null });
  tt.match(without?.problems, [{ sentence: /of its chart$/, remedy: /brings the configuration back$/ }]);
  tt.end();
});

t.test('checks of an engine that no release has are left out', (tt) => {
  for (const id of ['webhooks', 'ca-bundle', 'certificate', 'replicas', 'endpoints', 'reachable', 'policy-revision'])
    tt.strictSame([idsOf(alone).has(id), idsOf(facts).has(id), idsOf(both()).has(id)], [false, true, true], id);
  for (const id of ['admission-policy', 'admission-policy-revision', 'enforced'])
    tt.strictSame([idsOf(alone).has(id), idsOf(facts).has(id), idsOf(both()).has(id)], [true, false, true], id);
  tt.equal(idsOf({ ...facts, releases: [] }).size, checks.length, 'without any release each is shown');
  tt.end();
});

t.test('checks of a controller that no feature needs are left out: they were told as kept', (tt) => {
  const without = withRelease({ controller: 'none', lease: undefined });
  for (const id of ['controller', 'copies', 'missing-images'])
    tt.strictSame(
      [idsOf(without).has(id), idsOf(facts).has(id), idsOf({ ...facts, releases: [...without.releases!, healthy] }).has(id)],
      [false, true, true],
      id,
    );
  const copies = {
    wanted: [],
    sources: [{ registry: 'one', secret: 'source', problem: 'Secret images/source does not exist' }],
    events: [],
  };
  tt.ok(idsOf(withRelease({ controller: 'none', copies })).has('copies'), 'a policy with credentials, and nobody who copies');
  tt.end();
});

t.test('what the export writes, doctor reads: revision and conditions', (tt) => {
  tt.equal(recordedRevision(admissionPolicy.spec?.variables ?? []), revision);
  const names = admissionPolicy.spec?.matchConditions?.map(({ name }) => name) ?? [];
  tt.strictSame(
    names.filter((name) => !ownConditions.includes(name)),
    [],
  );
  tt.ok(names.length > 3);
  tt.end();
});

t.test('who is rewritten, by the bindings', (tt) => {
  const shop = { name: 'shop', labels: { [key]: 'enabled' } };
  const table: readonly (readonly [says: string, of: Release, namespace: typeof shop, pod: Record<string, string>, mode: string | null])[] =
    [
      ['its namespace is opted in', release, shop, {}, 'enforce'],
      ['the pod opts out', release, shop, { [key]: 'disabled' }, null],
      ['the pod opts in', release, { name: 'other', labels: { [key]: '' } }, { [key]: 'enabled' }, 'enforce'],
      ['a namespace of Kubernetes', release, { ...shop, name: 'kube-system' }, {}, null],
      ['an excluded one', release, { ...shop, name: 'infra' }, {}, null],
      [
        'an excluded one, of a policy that cannot be seen',
        { ...release, admissionPolicy: null },
        { ...shop, name: 'infra' },
        {},
        'enforce',
      ],
      [
        'the release namespace, of a policy that cannot be seen',
        { ...release, admissionPolicy: null },
        { ...shop, name: 'images' },
        {},
        null,
      ],
    ];
  for (const [says, of, namespace, pod, mode] of table) tt.equal(modeFor(of, namespace, pod), mode, says);
  tt.equal(optInValue(release), 'enabled');
  tt.match(labelMistake(release, { labels: { [key]: 'Enabled' } }, 'kubectl label x'), { code: 'label-value' });
  tt.equal(labelMistake(release, { labels: { [key]: 'shadow' } }, 'kubectl label x'), null);
  const shadow = { name: 'shop', labels: { [key]: 'shadow' } };
  tt.match(whyNotOptedIn(release, shadow, {}), { code: 'shadow', sentence: /needs a webhook/ });
  tt.match(whyNotOptedIn(release, shop, { [key]: 'shadow' }), { code: 'shadow' });
  tt.match(whyNotOptedIn(release, { name: 'infra', labels: { [key]: 'enabled' } }, {}), { code: 'excluded-namespace' });
  tt.match(whyNotOptedIn({ ...release, ...spec({}), bindings: [] }, { name: 'a' }, {}), { code: 'not-opted-in' });
  tt.end();
});

const api = '/apis/admissionregistration.k8s.io/v1';
const objects: Objects = {
  [`${api}/mutatingwebhookconfigurations`]: [],
  [`${api}/mutatingadmissionpolicybindings`]: bindings,
  [`${api}/mutatingadmissionpolicies/transship`]: admissionPolicy,
  '/api/v1/namespaces/images/configmaps/transship-policy': { data: { 'policy.yaml': policyText } },
  '/api/v1/namespaces/images/configmaps/transship-hosts': { data: { 'hosts.yaml': 'mirror: mirror.example.com\n' } },
  '/api/v1/namespaces': [{ metadata: { name: 'shop', labels: { [key]: 'enabled' } } }],
  '/api/v1/namespaces/shop': { metadata: { name: 'shop', labels: { [key]: 'enabled' } } },
  '/api/v1/namespaces/shop/events': [],
  '/api/v1/namespaces/shop/pods': [],
  '/metrics': { a: 1 },
};

t.test('releases are found by their bindings', async (tt) => {
  const [one, ...more] = (await findReleases(viewOf(objects))) ?? [];
  tt.strictSame(more, []);
  tt.match(one, {
    name: 'transship',
    fullName: 'transship',
    namespace: 'images',
    configuration: null,
    policy: { configMap: 'transship-policy', key: 'policy.yaml', text: policyText },
    hosts: 'mirror: mirror.example.com\n',
  });
  tt.equal(one?.bindings.length, 2);
  const gathered = await gatherFacts(viewOf(objects), false);
  tt.match(gathered.releases, [{ endpoints: [], probe: null, loaded: { compiled: { revision: /^[0-9a-f]{12}$/ } } }]);

  const second = { webhooks: webhookRelease.configuration?.webhooks, metadata: { name: 'transship', labels } };
  const withBoth = { ...objects, [`${api}/mutatingwebhookconfigurations`]: [second] };
  tt.match(
    await findReleases(viewOf(withBoth)),
    [{ configuration: { metadata: { name: 'transship' } }, bindings: [{}, {}] }],
    'one release, not two',
  );
  const elsewhere = bindings.map(({ spec: own }) => ({
    spec: own,
    metadata: { labels, annotations: { ...annotations, 'transship.dev/release-namespace': 'other' } },
  }));
  const two = await findReleases(viewOf({ ...withBoth, [`${api}/mutatingadmissionpolicybindings`]: elsewhere }));
  tt.strictSame(
    two?.map((each) => [each.namespace, each.configuration !== null, each.bindings.length]),
    [
      ['images', true, 0],
      ['other', false, 2],
    ],
    'of the same name in two namespaces',
  );
  const hidden: Objects = { ...objects, [`${api}/mutatingadmissionpolicybindings`]: forbidden };
  tt.equal(await findReleases(viewOf(hidden)), null, 'bindings that may not be read: there may be a release');
  const { [`${api}/mutatingadmissionpolicybindings`]: _, ...older } = objects;
  tt.strictSame(await findReleases(viewOf(older)), [], 'an API server that does not have them');
  const bare = bindings.map(({ spec: own }) => ({ spec: own, metadata: {} }));
  tt.match(await findReleases(viewOf({ ...objects, [`${api}/mutatingadmissionpolicybindings`]: bare })), [
    { name: '', namespace: '', policy: null, fullName: 'transship' },
  ]);
  const gatheredBoth = viewOf(withBoth);
  await gatherFacts(gatheredBoth, true);
  tt.match(JSON.stringify(gatheredBoth.unseen), /whether the webhook of release transship is reached/);
});

const pod = (creationTimestamp: string, more: object = {}) => ({
  '/api/v1/namespaces/shop/pods/web': {
    metadata: { name: 'web', namespace: 'shop', creationTimestamp, ...more },
    spec: { containers: [{ name: 'main', image: 'nginx' }] },
  },
});

t.test('why: a pod that the policy would rewrite, and did not', async (tt) => {
  const why = async (planted: Objects) => {
    const { containers, release: of } = await explainPod(viewOf({ ...objects, ...planted }), {
      namespace: 'shop',
      subject: parseSubject('pod/web'),
      policy: null,
    });
    tt.equal(of, 'images/transship');
    return containers[0];
  };
  const later = pod('2026-06-01T00:00:00Z');
  tt.match(await why(later), { code: 'policy-not-applied', reason: /did not change the pod/, remedy: /transship doctor/ });
  const { [`${api}/mutatingadmissionpolicies/transship`]: _, ...gone } = objects;
  const without = await explainPod(viewOf({ ...gone, ...later }), { namespace: 'shop', subject: parseSubject('pod/web'), policy: null });
  tt.match(without.containers, [{ code: 'policy-not-applied', reason: /MutatingAdmissionPolicy transship does not exist/ }]);
  tt.match(await why(pod('2026-04-01T00:00:00Z')), { code: 'older-than-opt-in', reason: /before transship was registered/ });
  const rewrittenLater = { metadata: { name: 'transship', creationTimestamp: '2026-07-01T00:00:00Z' }, spec: admissionPolicy.spec };
  tt.match(
    await why({ ...later, [`${api}/mutatingadmissionpolicies/transship`]: rewrittenLater }),
    { code: 'older-than-opt-in' },
    'the policy object is newer than its bindings',
  );
  tt.match(await why(pod('2026-06-01T00:00:00Z', { labels: { [key]: 'shadow' } })), { code: 'shadow' });
});

t.test('the dry run: an expression that fails refuses the pod with the whole expression, which is left out', async (tt) => {
  const message = `policy 'transship' with binding 'transship-namespaces' denied request: expression '[a]\n + "it's"' resulted in error: no such key: x`;
  const view = { ...viewOf(objects), dryRunCreate: async () => ({ status: 403, message }) };
  const result = await probe(view, release, policyOf(release), [{ metadata: { name: 'shop', labels: { [key]: 'enabled' } } }]);
  tt.match(result, {
    of: 'admission policy',
    failure: "policy 'transship' with binding 'transship-namespaces' denied request: an expression resulted in error: no such key: x",
  });
});
