/** The dry-run pod of `doctor` and the revisions of replicas: what is asked, and what each answer means. Without a cluster. */
import type { V1Namespace, V1Pod } from '@kubernetes/client-node';
import t from 'tap';
import { probe, probesFor } from '../../src/inspect/doctor/probe.ts';
import { replicaRevisions, revisionIn } from '../../src/inspect/doctor/replica-revisions.ts';
import { policyOf } from '../../src/inspect/policy.ts';
import type { ClusterView, DryRun } from '../../src/inspect/view.ts';
import { policyText, release } from './facts.ts';

const key = 'transship.dev/rewrite';
const namespace = (name: string, label: string | null, phase = 'Active'): V1Namespace => ({
  metadata: { name, labels: label === null ? {} : { [key]: label } },
  status: { phase },
});
const shop = namespace('shop', 'enabled');
const withText = (text: string) => policyOf({ ...release, policy: { ...release.policy!, text } });
const head = policyText.slice(0, policyText.indexOf('rules:'));
const rule = (match: string): string => `${head}rules: [{ name: a, match: ${match}, rewrite: { registry: mirror, as: path } }]\n`;

const chosen: readonly (readonly [says: string, text: string, namespaces: readonly V1Namespace[], ...expected: string[]])[] = [
  ['a sample of the rule', policyText, [shop], 'shop docker.io/sample/sample'],
  [
    'an image of the tests of the policy first',
    `${policyText}tests: [{ image: nginx, becomes: mirror.example.com/library/nginx }]\n`,
    [shop],
    'shop nginx',
  ],
  ['no namespace that is opted in', policyText, [namespace('a', null), namespace('b', 'shadow'), namespace('c', 'disabled')]],
  ['no namespace that is being deleted', policyText, [namespace('a', 'enabled', 'Terminating')]],
  [
    'a namespace that the rule is for',
    rule('{ images: [docker.io], namespaces: [pay] }'),
    [shop, namespace('pay', 'enabled')],
    'pay docker.io/sample/sample',
  ],
  [
    'labels that the rule asks for',
    rule('{ images: [quay.io/acme], podLabels: { tier: web } }'),
    [shop],
    'shop quay.io/acme {"tier":"web"}',
  ],
  [
    'three namespaces at most',
    policyText,
    ['a', 'b', 'c', 'd'].map((name) => namespace(name, 'enabled')),
    ...['a', 'b', 'c'].map((name) => `${name} docker.io/sample/sample`),
  ],
];

for (const [says, text, namespaces, ...expected] of chosen)
  t.test(`chooses ${says}`, (tt) => {
    const policy = withText(text)?.compiled;
    const probes = policy === null || policy === undefined ? null : probesFor(release, policy, namespaces);
    const found = probes?.map((each) => {
      const labels = Object.keys(each.podLabels).length === 0 ? '' : ` ${JSON.stringify(each.podLabels)}`;
      tt.ok(each.expected.startsWith('mirror.example.com/'), each.expected);
      return `${each.namespace} ${each.image}${labels}`;
    });
    tt.strictSame(found, expected);
    tt.end();
  });

/** Answers each request with the next response; remembers what was sent and what was not seen. */
function viewWith(...responses: readonly ((pod: V1Pod) => DryRun<V1Pod>)[]) {
  const sent: string[] = [];
  const unseen: string[] = [];
  const view = {
    dryRunCreate: async (path: string, pod: V1Pod) => {
      const respond = responses[Math.min(sent.length, responses.length - 1)];
      sent.push(path);
      return respond?.(pod);
    },
    notSeen: (what: string, why: string) => void unseen.push(`${what}: ${why}`),
  } as unknown as ClusterView;
  return { view, sent, unseen };
}

const loaded = withText(policyText);
const refusing = (status: number, message: string) => (): DryRun<V1Pod> => ({ status, message });
const rewriting = (): DryRun<V1Pod> => ({
  created: {
    metadata: { annotations: { 'transship.dev/rewritten-by': '{"probe":"hub@abc"}' } },
    spec: {
      containers: [
        { name: 'injected', image: 'other' },
        { name: 'probe', image: 'mirror.example.com/x' },
      ],
    },
  },
});

const answers: readonly (readonly [
  says: string,
  DryRun<V1Pod> | ((pod: V1Pod) => DryRun<V1Pod>),
  expected: object | null,
  unseen: RegExp | null,
])[] = [
  ['rewritten', rewriting, { image: 'mirror.example.com/x', revision: 'abc' }, null],
  ['as it was written', (pod) => ({ created: pod }), { image: 'docker.io/sample/sample', revision: null }, null],
  [
    'refused, since the webhook cannot be called',
    refusing(500, 'Internal error occurred: failed calling webhook "enforce.transship.dev": no route'),
    { failure: /no route/ },
    null,
  ],
  ['refused, since the webhook of another cannot be called', refusing(500, 'failed calling webhook "a.other.io"'), null, /other\.io/],
  [
    'refused by the final state, as it was written',
    refusing(403, 'images outside the allowed registries (mirror.example.com): docker.io/sample/sample'),
    { image: 'docker.io/sample/sample', revision: null },
    null,
  ],
  [
    'refused by the final state, rewritten',
    refusing(403, 'images outside the allowed registries (other.example.com): mirror.example.com/sample/sample'),
    null,
    /outside the allowed/,
  ],
  ['refused without the right', refusing(403, 'pods is forbidden'), null, /in namespace shop: pods is forbidden; the right to create pods/],
  ['refused as invalid', refusing(422, 'no such class'), null, /in namespace shop: no such class$/],
];

for (const [says, respond, expected, why] of answers)
  t.test(`the pod is ${says}`, async (tt) => {
    const { view, sent, unseen } = viewWith(typeof respond === 'function' ? respond : () => respond);
    const result = await probe(view, release, loaded, [shop]);
    if (expected === null) tt.equal(result, null);
    else tt.match(result, expected);
    tt.strictSame(sent, ['/api/v1/namespaces/shop/pods']);
    if (why === null) tt.strictSame(unseen, []);
    else tt.match(unseen, [why]);
  });

t.test('a namespace that refuses the pod is not the end', async (tt) => {
  const { view, sent, unseen } = viewWith(refusing(403, 'exceeded quota'), rewriting);
  tt.match(await probe(view, release, loaded, [shop, namespace('pay', 'enabled')]), { probe: { namespace: 'pay' }, revision: 'abc' });
  tt.equal(sent.length, 2);
  tt.match(unseen, [/namespace shop: exceeded quota/]);
});

t.test('without a namespace or a policy nothing is sent', async (tt) => {
  const { view, sent, unseen } = viewWith(rewriting);
  tt.equal(await probe(view, release, loaded, null), null);
  tt.equal(await probe(view, release, null, [shop]), null);
  tt.equal(await probe(view, release, withText('rulez: 1'), [shop]), null);
  tt.strictSame(unseen, [], 'other checks say so');
  tt.equal(await probe(view, release, loaded, []), null);
  tt.match(unseen, [/a dry-run pod of release transship: the policy rewrites no pod/]);
  tt.strictSame(sent, []);
});

const replica = (name: string, ready: 'True' | 'False', more: object = {}): V1Pod => ({
  metadata: { name, ...more },
  spec: { containers: [{ name: 'webhook', ports: [{ name: 'metrics', containerPort: 9464 }] }] },
  status: { conditions: [{ type: 'Ready', status: ready }] },
});

t.test('revisions of the replicas that are ready', async (tt) => {
  const metrics: Readonly<Record<string, string>> = {
    '/api/v1/namespaces/images/pods/a:9464/proxy/metrics':
      'x 1\ntransship_policy_info{revision="old"} 0\ntransship_policy_info{revision="new"} 1\n',
    '/api/v1/namespaces/images/pods/b:9464/proxy/metrics': 'x 1\n',
  };
  const view = { proxied: async (path: string) => metrics[path] ?? null } as unknown as ClusterView;
  const pods = [
    replica('a', 'True'),
    replica('b', 'True'),
    replica('c', 'True'),
    replica('d', 'False'),
    replica('e', 'True', { deletionTimestamp: new Date() }),
  ];
  tt.strictSame(await replicaRevisions(view, { ...release, pods }), [
    { pod: 'a', revision: 'new' },
    { pod: 'b', revision: null },
    { pod: 'c', revision: null },
  ]);
  tt.equal(await replicaRevisions(view, { ...release, pods: null }), null);
  tt.equal(revisionIn('transship_policy_info{revision="old"} 0'), null);
});
