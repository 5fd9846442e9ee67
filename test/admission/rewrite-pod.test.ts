/** What becomes of pull policies, secrets and names, case by case. */
import { test } from 'tap';
import { compiled, type PolicyInput } from '../rules/policy.ts';
import { pod, reviewOf, type Json } from '../builders/pod.ts';
import { call, patched } from '../builders/webhook.ts';
import { member } from '../../src/pod/json.ts';

type PullPolicy = 'keep' | 'derive' | 'IfNotPresent' | 'Always';

function hub(pullPolicy: PullPolicy = 'keep', more: Partial<PolicyInput> = {}) {
  return compiled({
    registries: {
      local: { host: 'localhost:30500', pullSecrets: ['local-key'] },
      other: { host: 'other.example', pullSecrets: ['other-key', 'local-key'] },
    },
    rules: [
      { name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'local', as: 'path' }, pullSecrets: ['rule-key'], pullPolicy },
    ],
    ...more,
  });
}

const pullPolicies: readonly [rule: PullPolicy, written: Json | undefined, after: Json | undefined][] = [
  ['keep', 'Always', 'Always'],
  ['keep', undefined, undefined],
  ['derive', 'Always', undefined],
  ['derive', undefined, undefined],
  ['derive', 7, 7],
  ['IfNotPresent', 'Always', 'IfNotPresent'],
  ['IfNotPresent', 'IfNotPresent', 'IfNotPresent'],
  ['IfNotPresent', undefined, 'IfNotPresent'],
  // Such an image is not rewritten: the node has it under its written name.
  ['Always', 'Never', 'Never'],
  ['Always', null, 'Always'],
];

for (const [rule, written, after] of pullPolicies) {
  const has = (name: string): { [key: string]: Json } => (written === undefined ? {} : { [name]: written });
  const places: readonly [place: string, spec: { [key: string]: Json }, path: readonly string[]][] = [
    ['container', { containers: [{ name: 'app', image: 'nginx', ...has('imagePullPolicy') }] }, ['spec', 'containers', 'imagePullPolicy']],
    [
      'volume',
      { volumes: [{ name: 'data', image: { reference: 'nginx', ...has('pullPolicy') } }] },
      ['spec', 'volumes', 'image', 'pullPolicy'],
    ],
  ];
  for (const [place, spec, path] of places) {
    test(`pull policy ${rule} of a ${place} with ${JSON.stringify(written) ?? 'none'}`, (t) => {
      const object = pod({ spec });
      const result: unknown = patched(object, call(reviewOf({ object }), hub(rule)).patch);
      const found = path.reduce((value, key) => member(Array.isArray(value) ? value[0] : value, key), result);
      t.equal(found, after);
      t.end();
    });
  }
}

test('the pull policy of an image that is not rewritten stays', (t) => {
  const object = pod({
    containers: { app: 'quay.io/acme/app', there: 'localhost:30500/library/nginx' },
    spec: { imagePullSecrets: [{ name: 'local-key' }] },
  });
  t.strictSame(call(reviewOf({ object }), hub('Always')).patch, []);
  t.end();
});

test('secrets: of the registry, then of the rule, then of the next image, each once', (t) => {
  const object = pod({ containers: { app: 'nginx', other: 'other.example/app', again: 'redis' } });
  t.strictSame(call(reviewOf({ object }), hub()).admission.pullSecrets, ['local-key', 'rule-key', 'other-key']);
  t.end();
});

test('shadow mode appends no secret and says which ones it would: its log and audit annotations once named none', (t) => {
  const { admission, patch } = call(reviewOf({ object: pod({ containers: { app: 'nginx' } }) }), hub(), 'shadow');
  t.match(admission, { mode: 'shadow', pullSecrets: ['local-key', 'rule-key'], operations: [], images: [{ outcome: 'rewritten' }] });
  t.match(admission.auditAnnotations, { 'pull-secret.local-key': 'would be added', 'pull-secret.rule-key': 'would be added' });
  t.strictSame(patch, []);
  t.end();
});

test('a skipped request has no decision', (t) => {
  const { admission } = call(reviewOf({ object: pod({ containers: { app: 'nginx' } }), namespace: 'kube-system' }), hub());
  t.strictSame(admission, {
    mode: 'enforce',
    skipped: { code: 'system-namespace', sentence: 'namespace kube-system belongs to Kubernetes' },
    images: [],
    pullSecrets: [],
    operations: [],
    warnings: [],
    auditAnnotations: {},
  });
  t.end();
});

test('the name that was applied before comes back: the object ends as it was, without a restart', (t) => {
  const [old, applied] = ['localhost:30500/library/nginx:1', 'nginx:1'].map((image) =>
    pod({ containers: { app: image }, initContainers: { app: image } }),
  );
  const { patch } = call(reviewOf({ operation: 'UPDATE', object: applied ?? null, oldObject: old ?? null }), hub());
  t.strictSame(member(patched(applied, patch), 'spec'), member(old, 'spec'));
  t.end();
});

test('containers of one name in different lists are compared with their own', (t) => {
  const old = pod({ containers: { app: 'nginx' }, initContainers: { app: 'redis' } });
  const next = pod({ containers: { app: 'redis' }, initContainers: { app: 'redis' } });
  const { admission } = call(reviewOf({ operation: 'UPDATE', object: next, oldObject: old }), hub());
  t.strictSame(
    admission.images.map(({ outcome }) => outcome),
    ['rewritten', 'unchanged'],
  );
  t.end();
});

test('10,000 containers', (t) => {
  const images = Object.fromEntries(Array.from({ length: 10_000 }, (_, index) => [`c${index}`, 'nginx']));
  const object = pod({ containers: images });
  const { patch, response } = call(reviewOf({ object }), hub());
  t.equal(patch.filter(({ path }) => path.endsWith('/image')).length, 10_000);
  t.equal(Object.keys(response.auditAnnotations ?? {}).length, 64, 'audit annotations are bounded');
  t.strictSame(call(reviewOf({ object: patched(object, patch) }), hub()).patch, []);
  t.end();
});
