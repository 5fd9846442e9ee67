/** Images that a rule names and that are better left alone: already on the node, filled in by an injector, without their pull secrets. */
import { test } from 'tap';
import { shippedImageManagers } from '../../src/policy/image-managers.ts';
import { requirementsOf } from '../../src/policy/label-selector.ts';
import { pod, reviewOf, type Json } from '../builders/pod.ts';
import { call, patched } from '../builders/webhook.ts';
import { compiled, type PolicyInput, type RuleInput } from '../rules/policy.ts';

function policyWith(rule: Partial<RuleInput> = {}, more: Partial<PolicyInput> = {}): ReturnType<typeof compiled> {
  return compiled({
    registries: { mirror: { host: 'mirror.example', pullSecrets: ['mirror-pull'] } },
    rules: [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'mirror', as: 'path' }, ...rule }],
    ...more,
  });
}

const never = (labels: Record<string, string> = {}): Json =>
  pod({ metadata: { name: 'x', labels }, spec: { containers: [{ name: 'app', image: 'shop-api:dev', imagePullPolicy: 'Never' }] } });

type NeverRow = readonly [says: string, rule: Partial<RuleInput>, labels: Record<string, string>, code: string, warns: boolean];

const neverRows: readonly NeverRow[] = [
  // kind load docker-image: rewritten, the pod ended in ErrImageNeverPull.
  ['an image that was loaded into the node keeps its name', {}, {}, 'never-pulled', true],
  ['nobody is told where the rule asks for it', { onPullPolicyNever: 'keep' }, {}, 'kept-by-rule', false],
  ['it is rewritten where the rule asks for it', { onPullPolicyNever: 'rewrite' }, {}, 'rule-matched', false],
  // The node has Velero's image under the new name, since the pods of its DaemonSet were rewritten.
  ['a pod of Velero is rewritten as its node agent is', {}, { 'velero.io/exposer-pod-group': 'snapshot-exposer' }, 'rule-matched', false],
  ['and so is one that reads a volume', {}, { 'velero.io/pod-volume-backup': 'a' }, 'rule-matched', false],
  ['and one that fills a volume', {}, { 'velero.io/pod-volume-restore': 'a' }, 'rule-matched', false],
  ['but not against the rule', { onPullPolicyNever: 'keep' }, { 'velero.io/pod-volume-restore': 'a' }, 'kept-by-rule', false],
  ['another label of Velero says nothing', {}, { 'velero.io/backup-name': 'a' }, 'never-pulled', true],
];

for (const [says, rule, labels, code, warns] of neverRows) {
  test(`imagePullPolicy Never: ${says}`, (t) => {
    const { admission, patch } = call(reviewOf({ object: never(labels) }), policyWith(rule));
    const [image] = admission.images;
    t.equal(image?.code, code);
    t.equal(image?.outcome, code === 'rule-matched' ? 'rewritten' : 'excluded');
    t.equal(
      patch.some(({ path }) => path.endsWith('/image')),
      code === 'rule-matched',
    );
    t.equal(admission.warnings.length > 0, warns, admission.warnings.join());
    t.end();
  });
}

test('imagePullPolicy Never is no matter of other containers, nor of images that stay anyway', (t) => {
  const object = pod({
    spec: {
      containers: [
        { name: 'never', image: 'nginx', imagePullPolicy: 'Never' },
        { name: 'always', image: 'nginx', imagePullPolicy: 'Always' },
        { name: 'there', image: 'mirror.example/a', imagePullPolicy: 'Never' },
        { name: 'other', image: 'quay.io/a', imagePullPolicy: 'Never' },
      ],
    },
  });
  const { admission } = call(reviewOf({ object }), policyWith());
  t.strictSame(
    admission.images.map(({ code }) => code),
    ['never-pulled', 'rule-matched', 'under-target', 'no-rule-matches'],
  );
  t.end();
});

test("a placeholder stays until its injector fills it in: Istio's image: auto became mirror.example/library/auto", (t) => {
  const object = pod({ containers: { 'istio-proxy': 'auto', app: 'nginx', spelled: 'docker.io/library/auto' } });
  const codes = (policy: ReturnType<typeof compiled>): string[] =>
    call(reviewOf({ object }), policy).admission.images.map(({ code }) => code);
  t.strictSame(codes(policyWith()), ['placeholder', 'rule-matched', 'rule-matched']);
  t.strictSame(codes(policyWith({}, { placeholders: ['nginx'] })), ['rule-matched', 'placeholder', 'rule-matched']);
  t.strictSame(codes(policyWith({}, { placeholders: [] })), ['rule-matched', 'rule-matched', 'rule-matched']);
  t.end();
});

function debug(policy: ReturnType<typeof compiled>, image: string, pullSecrets: string[] = []): ReturnType<typeof call> {
  const old = pod({ containers: { app: 'quay.io/acme/api:1' }, spec: { imagePullSecrets: pullSecrets.map((name) => ({ name })) } });
  const object = pod({
    containers: { app: 'quay.io/acme/api:1' },
    spec: { imagePullSecrets: pullSecrets.map((name) => ({ name })), ephemeralContainers: [{ name: 'debugger', image }] },
  });
  return call(reviewOf({ object, oldObject: old, operation: 'UPDATE', subResource: 'ephemeralcontainers' }), policy);
}

test('a debug container whose pod lacks the pull secret: it was rewritten without a word and could not be pulled', (t) => {
  const lacking = debug(policyWith(), 'busybox:1.37');
  t.match(lacking.patch, [{ path: '/spec/ephemeralContainers/0/image', value: 'mirror.example/library/busybox:1.37' }]);
  t.strictSame(lacking.admission.warnings, [
    'transship: debugger: the pod lacks pull secret mirror-pull, which cannot be added to it any more',
  ]);
  t.match(lacking.admission.auditAnnotations, { 'missing-secret.debugger': 'mirror-pull' });

  t.strictSame(debug(policyWith(), 'busybox:1.37', ['mirror-pull']).admission.warnings, [], 'not where the pod has it');
  t.strictSame(debug(policyWith(), 'quay.io/debug/tools').admission.warnings, [], 'not for another registry');
  t.equal(debug(policyWith(), 'mirror.example/tools').admission.warnings.length, 1, 'for an image that is written with the registry too');
  t.end();
});

test('a rule can leave such an image alone', (t) => {
  const { patch, admission } = debug(policyWith({ onMissingSecret: 'keep' }), 'busybox:1.37');
  t.strictSame(patch, []);
  t.match(admission.images.at(-1), { outcome: 'refused', code: 'missing-pull-secret', rule: 'hub', result: null });
  t.match(admission.warnings, [/^transship: debugger: left alone: rule hub leaves it alone: the pod lacks pull secret mirror-pull/]);
  t.equal(debug(policyWith({ onMissingSecret: 'keep' }), 'busybox:1.37', ['mirror-pull']).patch.length, 1, 'not where the pod has it');
  t.end();
});

test('an image update gets the same warning, once', (t) => {
  const old = pod({ containers: { app: 'quay.io/acme/api:1' } });
  const object = pod({ containers: { app: 'nginx:2' } });
  const review = (next: Json): ReturnType<typeof reviewOf> => reviewOf({ object: next, oldObject: old, operation: 'UPDATE' });
  const policy = policyWith({ pullSecrets: ['extra'] });
  const first = call(review(object), policy);
  t.match(first.admission.warnings, ['transship: app: the pod lacks pull secret mirror-pull, which cannot be added to it any more']);
  const second = call(review(patched(object, first.patch)), policy);
  t.equal(
    second.admission.auditAnnotations['missing-secret.app'],
    first.admission.auditAnnotations['missing-secret.app'],
    'a second call says the same',
  );
  t.end();
});

test('a pod of an image manager is left alone, and rewritten with one warning where its exclusion is off', (t) => {
  for (const { name, podSelector } of shippedImageManagers) {
    const labels = { ...Object.fromEntries(requirementsOf(podSelector).map(({ key }) => [key, 'x'])), ...podSelector.matchLabels };
    const object = pod({ metadata: { name: 'x', labels }, containers: { a: 'nginx', b: 'redis' } });
    t.match(call(reviewOf({ object }), policyWith()).admission, { skipped: { code: 'image-manager' }, operations: [] }, name);
    const { admission } = call(reviewOf({ object }), policyWith({}, { imageManagers: [{ name, exclude: false }] }));
    t.equal(admission.images[0]?.outcome, 'rewritten', name);
    t.strictSame(admission.warnings, [
      `transship: the pod belongs to ${name}, which may recreate it because of its image (see imageManagers)`,
    ]);
  }
  t.end();
});
