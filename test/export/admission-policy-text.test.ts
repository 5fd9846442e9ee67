/** `export admission-policy` without a cluster: patterns that are refused, what is left to the webhook, the text and its limit. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'tap';
import { parseAllDocuments } from 'yaml';
import { loadPolicy } from '../../src/config/load.ts';
import { admissionPolicy, exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { concernCondition } from '../../src/export/admission-policy/concern.ts';
import { tableOf } from '../../src/export/admission-policy/table.ts';
import { transship } from '../cli/terminal.ts';
import { defaults } from './equality.ts';
import { policyOf, shown } from './policies.ts';

const hub = '{ name: hub, match: { images: [docker.io] }, rewrite: { registry: mirror, as: path } }';

const refused: readonly (readonly [rule: string, refusal: string])[] = [
  [
    "{ name: a, match: { images: [{ regex: '^quay\\.io/\\pL' }] }, rewrite: { registry: mirror, as: path } }",
    'rules.0.match.images.0: ^quay\\.io/\\pL: \\p is not sure to mean the same in the API server',
  ],
  [
    "{ name: a, match: { images: ['*x*:*/a'] }, rewrite: { registry: mirror, as: path } }",
    'rules.0.match.images.0: *x*:*/a: CEL cannot tell a port from a part of an IPv6 address there',
  ],
  [
    "{ name: a, match: { images: [{ regex: '^quay(.*)' }] }, rewrite: { registry: mirror, as: path }, alternatives: [{ registry: plain, as: path }, { as: template, template: 'x.example/$1' }] }",
    'rules.0.alternatives.1.as: as: template: CEL cannot replace by the captures of an expression',
  ],
  [
    '{ name: a, match: { images: [quay.io] }, rewrite: { registry: mirror, as: path }, alternatives: [{ as: original }] }',
    'rules.0.alternatives: alternatives: as: original: CEL would rewrite the image once more when the controller moves a pod to it; leave it to the webhook',
  ],
];

for (const [rule, refusal] of refused)
  test(refusal, async (t) => {
    t.strictSame(shown(exportAdmissionPolicy(policyOf([rule]), defaults).refusals), [refusal]);
  });

test('a policy that is too long for etcd', async (t) => {
  const images = Array.from({ length: 4000 }, (_, index) => `quay.io/${'a'.repeat(400)}-${index}`);
  const rule = `{ match: { images: [${images.join(', ')}] }, rewrite: { registry: mirror, as: fullName } }`;
  const { files, refusals } = exportAdmissionPolicy(policyOf([rule]), defaults);
  t.strictSame(files, []);
  t.strictSame(admissionPolicy(policyOf([rule]), defaults), { spec: null, refusals });
  t.match(shown(refusals), [/^rules: the object of the MutatingAdmissionPolicy would have \d+ characters, and etcd takes 1\.5 MiB/]);
});

test('an expression that is too long for the API server', async (t) => {
  const exclude = Array.from({ length: 300 }, (_, index) => `quay.io/${'a'.repeat(400)}-${index}`);
  const rule = `{ match: { images: [quay.io], exclude: [${exclude.join(', ')}] }, rewrite: { registry: mirror, as: fullName } }`;
  const { files, refusals } = exportAdmissionPolicy(policyOf([rule]), defaults);
  t.strictSame(files, []);
  t.match(shown(refusals), [
    /^rules: the expression entries1 of the MutatingAdmissionPolicy would have \d+ characters, and the API server takes 100,000/,
  ]);
});

test('--partial leaves the rule to the webhook, and no later rule takes its images', async (t) => {
  const template =
    "{ name: first, match: { images: [{ regex: '^docker\\.io/acme/(.*)$' }] }, rewrite: { as: template, template: 'mirror.example/$1' } }";
  const head = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\nregistries: { mirror: { host: registry.example.com } }\n';
  const folder = t.testdir({ 'policy.yaml': `${head}rules:\n  - ${template}\n  - ${hub}\n` });
  const path = join(folder, 'policy.yaml');
  const whole = await transship(['export', 'admission-policy', '--policy', path]);
  t.match(whole, { code: 1, stdout: '' });
  t.match(whole.stderr, `${path}:5:93: error: rule first: as: template`);
  const { code, stdout } = await transship(['export', 'admission-policy', '--policy', path, '--partial']);
  t.equal(code, 0);
  t.match(stdout, 'The webhook decides the rest: run it with the same policy file.');
  t.match(stdout, /rule first, left to the webhook\n.*"rule": "first", "as": "left"}/);
});

test('the object that the controller writes is what the text says', async (t) => {
  const examples = new URL('../../examples/', import.meta.url).pathname;
  const texts = readdirSync(examples).flatMap((name) => (name.endsWith('.yaml') ? [readFileSync(join(examples, name), 'utf8')] : []));
  const policies = [...texts.flatMap((text) => loadPolicy(text, 'policy.yaml').compiled ?? []), policyOf([hub])];
  t.ok(policies.length > 3, `${policies.length} policies`);
  for (const policy of policies) {
    const { files, refusals } = exportAdmissionPolicy(policy, defaults);
    const object = admissionPolicy(policy, defaults);
    t.strictSame(object.refusals, refusals);
    const [printed] = parseAllDocuments(files[0]?.text ?? '');
    t.strictSame(object.spec, printed?.toJS().spec);
  }
});

test('the text is YAML, the same each time, and compared by --check', async (t) => {
  const sample = new URL('../../examples/sample.yaml', import.meta.url).pathname;
  const args = ['export', 'admission-policy', '--policy', sample];
  const first = await transship(args);
  t.strictSame(await transship(args), first);
  t.strictSame(
    parseAllDocuments(first.stdout).map((each) => [each.errors.length, (each.toJS() as { kind: string }).kind]),
    [
      [0, 'MutatingAdmissionPolicy'],
      [0, 'MutatingAdmissionPolicyBinding'],
      [0, 'MutatingAdmissionPolicyBinding'],
    ],
  );
  const folder = t.testdir({ 'policy.yaml': first.stdout });
  t.match(await transship([...args, '--check', join(folder, 'policy.yaml')]), { code: 0, stdout: '' });
  t.match(await transship([...args, '--policy-name', 'other', '--check', join(folder, 'policy.yaml')]), {
    code: 1,
    stdout: /"transship\\"" should be/,
  });
  t.match(readFileSync(sample, 'utf8'), 'rules:');
});

test('the flags are in the objects', async (t) => {
  const [file] = exportAdmissionPolicy(policyOf([hub]), {
    ...defaults,
    optIn: 'OptOut',
    otherValues: ['blue'],
    excludedNamespaces: ['vault'],
    matchImages: true,
    matchConditions: [{ name: 'own', expression: 'true' }],
  }).files;
  const [policy, namespaces] = parseAllDocuments(file?.text ?? '').map((each) => each.toJS());
  t.strictSame(policy.spec.matchConstraints.namespaceSelector.matchExpressions[0].values, [
    'kube-node-lease',
    'kube-public',
    'kube-system',
    'vault',
  ]);
  t.match(
    policy.spec.matchConditions.map(({ name }: { name: string }) => name),
    ['not-a-mirror-pod', 'not-opted-out', 'an-image-changes'],
  );
  t.strictSame(policy.spec.matchConditions.map(({ name }: { name: string }) => name).slice(-2), ['own', 'an-image-is-concerned']);
  t.notMatch(exportAdmissionPolicy(policyOf([hub]), defaults).files[0]?.text, 'an-image-is-concerned', 'others may add containers later');
  t.strictSame(namespaces.spec.matchResources.namespaceSelector.matchExpressions[0], {
    key: 'transship.dev/rewrite',
    operator: 'NotIn',
    values: ['disabled', 'shadow', 'blue'],
  });
});

const table = (images: string) => tableOf(policyOf([`{ match: { images: [${images}] }, rewrite: { registry: plain, as: path } }`]));

test('a pod is passed over only when no rule and no secret concerns its images', async (t) => {
  t.equal(concernCondition(table("'*'")), null);
  t.equal(concernCondition(table("'*.io'")), null);
  t.match(concernCondition(table('quay.io/acme')), { name: 'an-image-is-concerned' });
});
