/**
 * `export kyverno`: the expressions are those of the admission policy, whose tests run them on API servers. What differs is all here; Kyverno's own
 * engine runs it in test/kyverno.
 */
import { join } from 'node:path';
import * as fc from '../random/fast-check.ts';
import { test } from 'tap';
import { parseAllDocuments } from 'yaml';
import { exportAdmissionPolicy, type AdmissionPolicyOptions } from '../../src/export/admission-policy/admission-policy.ts';
import { exportKyverno } from '../../src/export/kyverno.ts';
import { transship } from '../cli/terminal.ts';
import { defaults, loaded } from './equality.ts';
import { policyOf, shown } from './policies.ts';
import { expressibleTexts } from './policy-texts.ts';
import { broadPolicy, largePolicy } from './spellings.ts';

const hub = '{ name: hub, match: { images: [docker.io] }, rewrite: { registry: secret, as: path }, pullPolicy: IfNotPresent }';

interface Named {
  readonly name: string;
  readonly expression: string;
}

interface Policy {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: object;
  readonly spec: Readonly<Record<string, unknown>> & { readonly matchConditions: readonly Named[]; readonly variables: readonly Named[] };
}

function documents(text = ''): Policy[] {
  return parseAllDocuments(text).map((each) => each.toJS() as Policy);
}

/** The policies of both engines. */
function both(given: Partial<AdmissionPolicyOptions> = {}): { native: Policy; kyverno: Policy; count: number } {
  const options = { ...defaults, ...given };
  const [native] = documents(exportAdmissionPolicy(policyOf([hub]), options).files[0]?.text);
  const [kyverno, ...more] = documents(exportKyverno(policyOf([hub]), options).files[0]?.text);
  if (native === undefined || kyverno === undefined) throw new Error('nothing is exported');
  return { native, kyverno, count: 1 + more.length };
}

const scopes: readonly Partial<AdmissionPolicyOptions>[] = [
  {},
  { optIn: 'OptOut', optInValue: 'on', shadowValue: 'dry', otherValues: ['blue'] },
  { failurePolicy: 'Ignore', excludedNamespaces: ['vault'], matchConditions: [{ name: 'own', expression: 'true' }], name: 'other' },
];

for (const given of scopes)
  test(`what differs from the admission policy, with ${JSON.stringify(given)}`, async (t) => {
    const { native, kyverno, count } = both(given);
    const { evaluation, autogen, matchConditions, ...spec } = kyverno.spec;
    const { matchConditions: nativeConditions, ...nativeSpec } = native.spec;
    t.equal(count, 1);
    t.strictSame([kyverno.apiVersion, kyverno.kind], ['policies.kyverno.io/v1', 'MutatingPolicy']);
    t.strictSame(kyverno.metadata, native.metadata);
    t.strictSame(spec, nativeSpec);
    t.strictSame(evaluation, { admission: { enabled: true }, background: { enabled: false }, mutateExisting: { enabled: false } });
    t.strictSame(autogen, { podControllers: { controllers: [] } });
    const [own, ...conditions] = matchConditions;
    t.strictSame(conditions, nativeConditions);
    // The bindings' selectors as an expression; of an update the admission policy evaluates the same.
    t.equal(own?.name, 'opted-in');
    const optedIn = native.spec.variables.find(({ name }) => name === 'optedIn')?.expression;
    t.equal(optedIn, own?.expression);
  });

/**
 * Of the schema of MutatingPolicy, what the export uses, `[]` for the items of a list.
 * https://github.com/kyverno/kyverno/blob/v1.19.1/config/crds/policies.kyverno.io/policies.kyverno.io_mutatingpolicies.yaml
 */
const fields = [
  'autogen.podControllers.controllers',
  'evaluation.admission.enabled',
  'evaluation.background.enabled',
  'evaluation.mutateExisting.enabled',
  'failurePolicy',
  'matchConditions[].expression',
  'matchConditions[].name',
  'matchConstraints.matchPolicy',
  'matchConstraints.namespaceSelector.matchExpressions[].key',
  'matchConstraints.namespaceSelector.matchExpressions[].operator',
  'matchConstraints.namespaceSelector.matchExpressions[].values',
  'matchConstraints.resourceRules[].apiGroups',
  'matchConstraints.resourceRules[].apiVersions',
  'matchConstraints.resourceRules[].operations',
  'matchConstraints.resourceRules[].resources',
  'matchConstraints.resourceRules[].scope',
  'mutations[].jsonPatch.expression',
  'mutations[].patchType',
  'reinvocationPolicy',
  'variables[].expression',
  'variables[].name',
];

function leaves(value: unknown, path = ''): string[] {
  if (Array.isArray(value)) {
    const objects = value.filter((each) => typeof each === 'object');
    return objects.length === 0 ? [path] : objects.flatMap((each) => leaves(each, `${path}[]`));
  }
  if (typeof value !== 'object' || value === null) return [path];
  return Object.entries(value).flatMap(([key, each]) => leaves(each, path === '' ? key : `${path}.${key}`));
}

test('every field is one of the schema', async (t) => {
  t.strictSame([...new Set(leaves(both().kyverno.spec))].toSorted(), fields);
});

test('Kyverno gives orValue, and so entries kept by host, the type dyn, and takes no dyn beside strings in a map: it refused the whole policy', async (t) => {
  for (const text of [broadPolicy, largePolicy, ...fc.sample(expressibleTexts, 30)]) {
    const { files } = exportKyverno(loaded(text), defaults);
    for (const { spec } of documents(files[0]?.text))
      for (const { name, expression } of spec.variables)
        t.notMatch(expression, /": (?:[\w.[\]?]+\.orValue\(|(?:has\()?variables\.matched)/, name);
  }
});

test('a policy that Kyverno could not read', async (t) => {
  const exclude = Array.from({ length: 300 }, (_, index) => `quay.io/${'a'.repeat(400)}-${index}`);
  const rule = `{ match: { images: [quay.io], exclude: [${exclude.join(', ')}] }, rewrite: { registry: mirror, as: fullName } }`;
  const { files, refusals } = exportKyverno(policyOf([rule]), defaults);
  t.strictSame(files, []);
  t.match(shown(refusals), [/^rules: the expression entries1 of the MutatingPolicy would have \d+ characters, and Kyverno takes 100,000/]);
});

test('the command: the same bytes each time, --check, its flags, and what is refused', async (t) => {
  const sample = new URL('../../examples/sample.yaml', import.meta.url).pathname;
  const args = ['export', 'kyverno', '--policy', sample];
  const first = await transship(args);
  t.match(first, { code: 0, stdout: /^# Written by transship export kyverno\./, stderr: '' });
  t.strictSame(await transship(args), first);
  const folder = t.testdir({
    'kyverno.yaml': first.stdout,
    'policy.yaml': `apiVersion: transship.dev/v1
kind: RewritePolicy
rules:
  - { name: first, match: { images: [{ regex: '^docker\\.io/acme/(.*)$' }] }, rewrite: { as: template, template: 'mirror.example/$1' } }
`,
  });
  t.match(await transship([...args, '--check', join(folder, 'kyverno.yaml')]), { code: 0, stdout: '' });
  t.match(await transship([...args, '--failure-policy', 'Fail', '--check', join(folder, 'kyverno.yaml')]), { code: 1, stdout: /Fail/ });
  const refused = await transship(['export', 'kyverno', '--policy', join(folder, 'policy.yaml')]);
  t.match(refused, {
    code: 1,
    stdout: '',
    stderr: /policy\.yaml:4:\d+: error: rule first: as: template: [^]*kyverno cannot express all of it/,
  });
  const partial = await transship(['export', 'kyverno', '--partial', '--policy', join(folder, 'policy.yaml')]);
  t.match(partial, { code: 0, stdout: /The webhook decides the rest/ });
});
