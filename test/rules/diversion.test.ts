/** Registries that nodes do not reach: images go to the next target of their rule first, and nothing else changes. */
import assert from 'node:assert/strict';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import type { ImageDecision, PodContext } from '../../src/rules/decision.ts';
import { decideImage } from '../../src/rules/decide.ts';
import type { ResolvedHosts } from '../../src/rules/registries.ts';
import { recallDecision } from '../../src/rules/remembered.ts';
import type { CompiledPolicy } from '../../src/rules/compile.ts';
import { referenceOf } from '../../src/image/reference.ts';
import { holds } from '../image/property.ts';
import { context, image, policy } from './arbitrary-policy.ts';
import { anyPod, becomes, compiled, type PolicyInput } from './policy.ts';

const unavailable = (...names: string[]): ResolvedHosts => Object.fromEntries(names.map((name) => [name, { unavailable: true }]));

const three: PolicyInput = {
  registries: {
    first: { host: 'first.example', pullSecrets: ['one'] },
    second: { host: 'second.example', pullSecrets: ['two'] },
    third: { hostFrom: { localRegistryHosting: true } },
  },
  rules: [
    {
      name: 'hub',
      match: { images: ['docker.io'] },
      rewrite: { registry: 'first', as: 'path' },
      alternatives: [{ registry: 'second', as: 'fullName' }, { registry: 'third', as: 'path' }, { as: 'original' }],
    },
    {
      name: 'moving',
      match: { images: ['quay.io'] },
      rewrite: { registry: 'first', as: 'path' },
      alternatives: [{ registry: 'second', as: 'path' }],
      onMutableTag: 'fallBack',
    },
    {
      name: 'pulled',
      match: { images: ['gcr.io'] },
      rewrite: { registry: 'first', as: 'path' },
      alternatives: [{ registry: 'second', as: 'path' }],
      pullPolicy: 'IfNotPresent',
    },
    {
      name: 'ports',
      match: { images: ['reg.example:5000'] },
      rewrite: { registry: 'first', as: 'path' },
      alternatives: [
        { registry: 'second', as: 'fullName' },
        { registry: 'second', as: 'path' },
      ],
    },
    { name: 'alone', match: { images: ['ghcr.io'] }, rewrite: { registry: 'first', as: 'path' } },
  ],
};

interface Row {
  readonly says: string;
  readonly image: string;
  readonly hosts: ResolvedHosts;
  readonly pullPolicy?: string;
  /** The images in order. */
  readonly order: readonly string[];
  readonly code?: string;
}

const [one, two, written] = ['first.example/library/nginx:1', 'second.example/docker.io/library/nginx:1', 'nginx:1'];

const rows: readonly Row[] = [
  { says: 'all are reached', image: 'nginx:1', hosts: {}, order: [one, two, written] },
  { says: 'the first is not', image: 'nginx:1', hosts: unavailable('first'), order: [two, written, one] },
  {
    says: 'nor is the second: the third has no host, and the image as written is next',
    image: 'nginx:1',
    hosts: unavailable('first', 'second'),
    order: [written, one, two],
    code: 'original-first',
  },
  {
    says: 'the third has a host, which is kept beside its state',
    image: 'nginx:1',
    hosts: { ...unavailable('first', 'second'), third: 'third.example' },
    order: ['third.example/library/nginx:1', written, one, two],
  },
  {
    says: 'a host that is resolved and not reached',
    image: 'nginx:1',
    hosts: { ...unavailable('first', 'second'), third: { host: 'third.example', unavailable: true } },
    order: [written, one, two, 'third.example/library/nginx:1'],
    code: 'original-first',
  },
  { says: 'only an alternative is not', image: 'nginx:1', hosts: unavailable('second'), order: [one, two, written] },
  {
    says: 'none is reached: the order of the policy',
    image: 'quay.io/a:1',
    hosts: unavailable('first', 'second'),
    order: ['first.example/a:1', 'second.example/a:1'],
  },
  {
    says: 'an alternative without a name for the image is passed over',
    image: 'reg.example:5000/a:1',
    hosts: unavailable('first'),
    order: ['second.example/a:1', 'first.example/a:1'],
  },
  {
    says: 'a tag that is pulled at each start stays',
    image: 'nginx:1',
    hosts: unavailable('first'),
    pullPolicy: 'Always',
    order: [one, two, written],
  },
  {
    says: 'also by default',
    image: 'nginx',
    hosts: unavailable('first'),
    order: ['first.example/library/nginx', 'second.example/docker.io/library/nginx', 'nginx'],
  },
  {
    says: 'not where the pod says otherwise',
    image: 'nginx',
    hosts: unavailable('first'),
    pullPolicy: 'IfNotPresent',
    order: ['second.example/docker.io/library/nginx', 'nginx', 'first.example/library/nginx'],
  },
  {
    says: 'nor where the rule makes it otherwise',
    image: 'gcr.io/a',
    hosts: unavailable('first'),
    pullPolicy: 'Always',
    order: ['second.example/a', 'first.example/a'],
  },
  {
    says: 'nor where the rule lets tags move',
    image: 'quay.io/a',
    hosts: unavailable('first'),
    pullPolicy: 'Always',
    order: ['second.example/a', 'first.example/a'],
  },
  {
    says: 'a digest is the same everywhere',
    image: `nginx@sha256:${'0a'.repeat(32)}`,
    hosts: unavailable('first'),
    pullPolicy: 'Always',
    order: ['second.example/docker.io/library/nginx', 'nginx', 'first.example/library/nginx'].map(
      (name) => `${name}@sha256:${'0a'.repeat(32)}`,
    ),
  },
  { says: 'a rule without alternatives', image: 'ghcr.io/a:1', hosts: unavailable('first'), order: ['first.example/a:1'] },
  { says: 'a name that no registry has', image: 'nginx:1', hosts: unavailable('toString'), order: [one, two, written] },
];

const placesOf = (decision: ImageDecision): string[] => [
  becomes(decision),
  ...decision.alternatives.flatMap(({ image: other }) => (other === null ? [] : [other])),
];

for (const { says, image: name, hosts, pullPolicy = null, order, code = 'rule-matched' } of rows)
  test(says, (t) => {
    const { table, problems } = compiled(three, hosts);
    t.strictSame(problems, []);
    const decision = decideImage(table, name, anyPod, pullPolicy);
    t.strictSame(placesOf(decision), order);
    t.equal(decision.code, code);
    t.equal(decision.result, order[0] === name ? null : (order[0] ?? null));
    for (let again = 0; again < 2; again += 1) t.strictSame(recallDecision(table, name, anyPod, pullPolicy), decision, 'remembered');
    t.end();
  });

test('the reason names both, and each target brings its own pull secrets', (t) => {
  const { reason, pullSecrets, alternatives } = decideImage(compiled(three, unavailable('first')).table, 'nginx:1', anyPod);
  t.equal(reason, 'rule hub matches docker.io (path); second comes first, since nodes do not reach first');
  t.strictSame(pullSecrets, ['one', 'two'], 'of all targets, in the order of the policy');
  t.match(alternatives.at(-1), { target: 'first', image: one, pullSecrets: ['one'] });
  t.end();
});

const pullPolicies = fc.constantFrom('Always', 'IfNotPresent', null);
const states = fc.subarray(['a', 'b', 'c']).map((names) => unavailable(...names));

interface Case {
  readonly policy: CompiledPolicy;
  readonly always: CompiledPolicy;
  readonly other: CompiledPolicy;
  readonly image: string;
  readonly pod: PodContext;
  readonly pullPolicy: string | null;
  readonly hosts: ResolvedHosts;
}

/** Each image of a random policy with alternatives, some of whose registries are unavailable; `other` has others that are, `always` none. */
function cases(check: (given: Case) => void): fc.IProperty<[object]> {
  const given = fc.record({
    input: policy,
    hosts: states,
    later: states,
    pod: context,
    pulled: fc.array(pullPolicies, { minLength: 1 }),
    images: fc.array(image, { minLength: 5, maxLength: 15 }),
  });
  return fc.property(given, ({ input, hosts, later, pod, pulled, images }) => {
    const [some, always, other] = [compiled(input, hosts), compiled(input), compiled(input, later)];
    fc.pre(some.problems.length === 0);
    for (const [index, name] of images.entries())
      check({ policy: some, always, other, image: name, pod, pullPolicy: pulled[index % pulled.length] ?? null, hosts });
  });
}

const decided = (by: CompiledPolicy, { image: name, pod, pullPolicy }: Case): ImageDecision => decideImage(by.table, name, pod, pullPolicy);

holds(
  'the targets are those of the rule in a circle, with the same pull secrets, whichever is reached',
  cases((given) => {
    const [now, always] = [decided(given.policy, given), decided(given.always, given)];
    assert.deepEqual(now.pullSecrets, always.pullSecrets);
    assert.deepEqual([now.rule, now.pullPolicy], [always.rule, now.outcome === 'rewritten' ? always.pullPolicy : 'keep']);
    const [places, order] = [placesOf(now), placesOf(always)];
    const start = order.indexOf(places[0] ?? '');
    assert.deepEqual(places, [...order.slice(start), ...order.slice(0, start)]);
    assert.equal(new Set(places).size, places.length);
  }),
  { numRuns: 700 },
);

holds(
  'an image stays where a pod got it, also when other registries are reached by then; only the image as written is rewritten again',
  cases((given) => {
    const first = decided(given.policy, given);
    assert.deepEqual(becomes(decided(given.policy, { ...given, image: becomes(first) })), becomes(first));
    for (const place of placesOf(first).filter((each) => each !== given.image)) {
      const later = decided(given.other, { ...given, image: place });
      assert.equal(becomes(later), place, later.reason);
      assert.deepEqual(
        later.pullSecrets.filter((name) => !first.pullSecrets.includes(name)),
        [],
      );
    }
  }),
  { numRuns: 700 },
);

holds(
  'nothing changes for a rule without alternatives, for a tag that is pulled at each start, and where none or all are reached',
  cases((given) => {
    const { hosts, policy: compiledPolicy, pullPolicy } = given;
    const [now, always] = [decided(compiledPolicy, given), decided(given.always, given)];
    const isFree = pullPolicy === 'Always' && referenceOf(given.image)?.digest === null;
    if (now.alternatives.length === 0 || isFree || Object.keys(hosts).length === 0) assert.deepEqual(now, always);
  }),
  { numRuns: 700 },
);

holds(
  'a new pod begins with a target that nodes reach, where there is one with a name for the image',
  cases((given) => {
    const rule = given.policy.rules.find(({ policy: { name } }) => name === decided(given.policy, given).rule);
    const { alternatives, outcome } = decided(given.always, given);
    if (rule === undefined || rule.alternatives.length === 0 || outcome !== 'rewritten' || given.pullPolicy === 'Always') return;
    if (given.pullPolicy === null && rule.policy.onMutableTag === 'keep') return;
    const isReached =
      !rule.isUnavailable || alternatives.every(({ image: other }, index) => other === null || rule.alternatives[index]?.isUnavailable);
    const { reason } = decided(given.policy, given);
    assert.equal(reason.includes('comes first'), !isReached, reason);
  }),
  { numRuns: 700 },
);
