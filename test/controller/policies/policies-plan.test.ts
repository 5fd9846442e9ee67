/** Which object a policy asks for, and whether one in the cluster is it. */
import { test } from 'tap';

import { readControllerOptions } from '../../../src/cli/controller-options.ts';
import {
  differenceOf,
  policyObject,
  renderPolicy,
  scopeOf,
  signatureOf,
  type Difference,
  type WantedObject,
} from '../../../src/controller/policies/policies-plan.ts';
import { loaded } from '../../export/equality.ts';
import { inexpressible, toMirror } from './kept-policy.ts';

const optionsOf = (...flags: string[]) =>
  readControllerOptions(['--policy', 'policy.yaml', '--namespace', 'release', '--features', 'policies', ...flags], {});
const binding = { metadata: { name: 'transship-namespaces', uid: 'uid-1' } };

function wanted(host = 'a.example.com'): WantedObject {
  const policy = loaded(toMirror(host));
  const { spec } = renderPolicy(policy, optionsOf());
  if (spec === null) throw new Error('it is refused');
  return policyObject({ spec, revision: policy.revision ?? '' }, optionsOf(), binding);
}

test('the scope is that of the chart', (t) => {
  const flags = ['--opt-in', 'OptOut', '--opt-in-values', 'on,watch', '--opt-out-values', 'disabled,other', '--exclude-namespaces', 'a,b'];
  const own = ['--shadow-value', 'watch', '--failure-policy', 'Fail', '--match-condition', 'no-jobs=a == "b"', '--policy-name', 'release'];
  t.strictSame(scopeOf(optionsOf(...flags, ...own)), {
    name: 'release',
    failurePolicy: 'Fail',
    optIn: 'OptOut',
    optInValue: 'on',
    shadowValue: 'watch',
    otherValues: ['other'],
    excludedNamespaces: ['release', 'a', 'b'],
    matchConditions: [{ name: 'no-jobs', expression: 'a == "b"' }],
    followsHosts: true,
  });
  t.end();
});

test('what CEL cannot express is refused, or left to the webhook', (t) => {
  const policy = loaded(inexpressible('a.example.com'));
  t.match(renderPolicy(policy, optionsOf()), { spec: null, refusals: [{ path: ['rules', 1, 'match', 'images', 0] }] });
  t.match(renderPolicy(policy, optionsOf('--partial')), { spec: { variables: Array }, refusals: { length: 1 } });
  const long = loaded(
    toMirror('a.example.com')
      .replace('docker.io', `${'a'.repeat(200)}.io/${'b/'.repeat(120)}c`)
      .replace(/\[(a.*c)\]/, (_, name: string) => `[${Array.from({ length: 4000 }, (__, index) => `${name}${index}`).join(', ')}]`),
  );
  t.match(renderPolicy(long, optionsOf('--partial')), { spec: null, refusals: [{ message: /etcd takes 1\.5 MiB/ }] });
  t.end();
});

/** As the API server stores it: with its defaults and its own metadata. */
function stored({ metadata, spec, ...head }: WantedObject): WantedObject {
  return {
    ...head,
    metadata: Object.assign({ uid: 'uid-2', resourceVersion: '7', generation: 1 }, metadata),
    spec: Object.assign({}, spec, { matchConstraints: Object.assign({ objectSelector: {} }, spec.matchConstraints) }),
  };
}

const rows: readonly (readonly [what: string, Difference, change: (object: WantedObject) => unknown])[] = [
  ['as stored', 'none', () => {}],
  ['metadata of others', 'none', ({ metadata }) => Object.assign(metadata?.labels ?? {}, { team: 'a' })],
  [
    'another owner beside ours',
    'none',
    ({ metadata }) => metadata?.ownerReferences?.unshift({ apiVersion: 'v1', kind: 'Node', name: 'a', uid: 'uid-3' }),
  ],
  ['a field of a later Kubernetes', 'none', ({ spec }) => Object.assign(spec, { later: 'Default' })],
  [
    'empty fields',
    'none',
    ({ spec }) =>
      Object.assign(spec, { paramKind: {}, matchConstraints: Object.assign(spec.matchConstraints ?? {}, { excludeResourceRules: [] }) }),
  ],
  ['a further condition', 'additions', ({ spec }) => spec.matchConditions?.push({ name: 'never', expression: 'false' })],
  ['a further variable first', 'additions', ({ spec }) => spec.variables?.unshift({ name: 'more', expression: '1' })],
  [
    'the conditions in another order',
    'additions',
    ({ spec }) => Object.assign(spec, { matchConditions: spec.matchConditions?.toReversed() }),
  ],
  ['parameters', 'additions', ({ spec }) => Object.assign(spec, { paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } })],
  [
    'a selector of pods',
    'additions',
    ({ spec }) => Object.assign(spec.matchConstraints ?? {}, { objectSelector: { matchLabels: { a: 'b' } } }),
  ],
  [
    'a further selector of namespaces',
    'additions',
    ({ spec }) => Object.assign(spec.matchConstraints?.namespaceSelector ?? {}, { matchLabels: { a: 'b' } }),
  ],
  ['a condition less', 'other', ({ spec }) => spec.matchConditions?.pop()],
  ['another expression', 'other', ({ spec }) => Object.assign(spec.variables?.[0] ?? {}, { expression: 'false' })],
  ['no mutation', 'other', ({ spec }) => Object.assign(spec, { mutations: null })],
  ['no constraints', 'other', ({ spec }) => Object.assign(spec, { matchConstraints: undefined })],
  ['another failure policy', 'other', ({ spec }) => Object.assign(spec, { failurePolicy: 'Fail' })],
  ['another revision', 'other', ({ metadata }) => Object.assign(metadata?.annotations ?? {}, { 'transship.dev/revision': 'b' })],
  ['no label', 'other', ({ metadata }) => Object.assign(metadata ?? {}, { labels: undefined })],
  ['no owner', 'other', ({ metadata }) => Object.assign(metadata ?? {}, { ownerReferences: [] })],
  ['the owner as it was before', 'other', ({ metadata }) => Object.assign(metadata?.ownerReferences?.[0] ?? {}, { uid: 'uid-0' })],
  ['both', 'other', ({ spec }) => Object.assign(spec, { failurePolicy: 'Fail', paramKind: { apiVersion: 'v1', kind: 'ConfigMap' } })],
];

for (const [what, difference, change] of rows)
  test(`${what}: ${difference}`, (t) => {
    const present = structuredClone(stored(wanted()));
    change(present);
    t.equal(differenceOf(present, wanted()), difference);
    t.end();
  });

test('the signature tells what is written from what is written again', (t) => {
  t.equal(signatureOf(wanted()), signatureOf(wanted()));
  t.not(signatureOf(wanted()), signatureOf(wanted('b.example.com')));
  const { spec } = wanted();
  const next = policyObject({ spec, revision: 'a' }, optionsOf(), { metadata: { name: 'transship-namespaces', uid: 'uid-2' } });
  t.not(signatureOf(next), signatureOf(policyObject({ spec, revision: 'a' }, optionsOf(), binding)));
  t.end();
});
