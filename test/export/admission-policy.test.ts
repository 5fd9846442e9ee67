/** `export admission-policy` without an API server: what is refused, by its place in the policy, and what is not. */
import { test } from 'tap';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { isOwnFile } from '../../src/export/exported.ts';
import { defaults } from './equality.ts';
import { policyOf, shown } from './policies.ts';

const remainder = (images: string, rewrite = 'registry: hub, prefix: bitnamilegacy'): string =>
  `{ name: a, match: { images: ${images} }, rewrite: { ${rewrite}, as: remainder } }`;
const wholeImage = 'as: remainder: images of docker.io/bitnamilegacy itself would be rewritten again';
const regex = String.raw`[{ regex: '^quay\.io/(.*)$' }]`;

const cases: readonly (readonly [what: string, rules: readonly string[], refusals: readonly string[], more?: string])[] = [
  ['another organisation of Docker Hub: something always follows', [remainder('[docker.io/bitnami]')], []],
  ['also with stars', [remainder("['docker.io/bitnami-*', docker.io]")], []],
  ['of another host nothing may follow', [remainder('[quay.io/bitnami]')], [`rules.0.rewrite.registry: ${wholeImage}`]],
  ['nor of two components', [remainder('[docker.io/bitnami/redis]')], [`rules.0.rewrite.registry: ${wholeImage}`]],
  ['nor of one image', [remainder("['docker.io/bitnami/redis:7']")], [`rules.0.rewrite.registry: ${wholeImage}`]],
  ['two components are a target of their own', [remainder('[quay.io/bitnami]', 'registry: hub, prefix: a/b')], []],
  [
    'a template',
    [`{ name: a, match: { images: ${regex} }, rewrite: { as: template, template: 'registry.example.com/$1' } }`],
    ['rules.0.rewrite.as: as: template: CEL cannot replace by the captures of an expression'],
  ],
  [
    'a registry without a host',
    ['{ name: a, match: { images: [quay.io] }, rewrite: { registry: later, as: path } }'],
    ['rules.0.rewrite.registry: the host of registry later is not resolved; name it with --resolved-hosts'],
  ],
  [
    'the image as written as an alternative: a step to it would be undone',
    ['{ name: a, match: { images: [quay.io] }, rewrite: { registry: hub, as: path, prefix: a }, alternatives: [{ as: original }] }'],
    [
      'rules.0.alternatives: alternatives: as: original: CEL would rewrite the image once more when the controller moves a pod to it; leave it to the webhook',
    ],
  ],
  ['warnings about every rewrite', [], ['warnings: warnings: a MutatingAdmissionPolicy cannot warn'], 'warnings: rewrites\n'],
];
for (const [what, rules, refusals, more] of cases)
  test(what, (t) => {
    const policy = policyOf(rules, more);
    const exported = exportAdmissionPolicy(policy, defaults);
    t.strictSame(shown(exported.refusals), refusals);
    const [file] = exported.files;
    t.ok(file !== undefined && isOwnFile(file.text));
    t.equal(file?.text.includes('run it with the same policy file'), refusals.length > 0);
    t.strictSame(exportAdmissionPolicy(policy, defaults), exported, 'the same bytes');
    t.end();
  });
