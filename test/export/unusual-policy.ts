/** Random policies of what is valid and rare: hosts, patterns, expressions, names and settings that the other generators leave out. */
import * as fc from '../random/fast-check.ts';
import { loadPolicy } from '../../src/config/load.ts';
import { exportAdmissionPolicy } from '../../src/export/admission-policy/admission-policy.ts';
import { testOf } from '../../src/export/admission-policy/patterns.ts';
import type { PatternSource } from '../../src/policy/types.ts';
import { decideImage } from '../../src/rules/decide.ts';
import { parsePattern } from '../../src/rules/pattern.ts';
import type { PolicyInput, RuleInput } from '../rules/policy.ts';
import { expression } from './arbitrary-expression.ts';
import { defaults } from './equality.ts';
import { policyText } from './policy-texts.ts';
import { hosts, paths, reference, suffixes } from './unusual-image.ts';

/** Comments, literals and records of the compiled policy have them. */
const names = [
  'plain',
  `"double" and 'single'`,
  String.raw`back\slash \u0041 \\`,
  'line\nbreak\r\n',
  'tab\tand bell\u0007',
  'nul\u0000',
  'next line \u0085, line \u2028, paragraph \u2029',
  'ship 🚢',
  'é'.repeat(63),
  'x'.repeat(63),
  'at@least@two',
  '${x}, $1 # no comment // none',
  '__proto__',
  '1',
  'a: b',
  '---\n- c',
  'not a character \ufffe\uffff',
  'mark \ufeff',
] as const;

const addresses = fc.oneof(
  fc.constantFrom(...hosts.filter((host) => host !== '')),
  fc.tuple(fc.constantFrom(...hosts.filter((host) => host !== '')), fc.constantFrom(...paths)).map((parts) => parts.join('/')),
  fc.constant(`deep.example/${'very/'.repeat(30)}deep`),
);

const secrets = fc.array(fc.constantFrom('one', 'two', 'three.example', 's'.repeat(253)), { maxLength: 3 });

const registry = fc.record({ host: addresses, pullSecrets: secrets });

const hostPatterns = [
  '*',
  '*:*',
  'localhost:*',
  'Localhost',
  '[::1]',
  '[::1]:*',
  '[*]:*',
  '[2001:DB8::*]:5000',
  '*.example',
  '*.example:*',
  'mirror.*',
  'm*r.example:5000',
  'mirror.example:5*',
  'mirror*:*',
  'QUAY.io',
  'index.docker.io',
  '*.docker.io',
  'docker.*',
  'REG',
] as const;
const pathPatterns = ['*', 'library', 'library/*', '*/app', 'acme/*/app', 'a*e', 'acme/a*p', 'x/y/z', 'a__b/c--d.e', '*a*/app'] as const;

const name = fc.oneof(
  { weight: 1, arbitrary: fc.constantFrom(...hostPatterns) },
  {
    weight: 3,
    arbitrary: fc
      .tuple(
        fc.constantFrom(...hostPatterns.slice(1), 'docker.io', 'quay.io'),
        fc.constantFrom(...pathPatterns),
        fc.oneof({ weight: 3, arbitrary: fc.constant('') }, { weight: 1, arbitrary: fc.constantFrom(...suffixes) }),
      )
      .map(([host, path, suffix]) => `${host}/${path}${suffix}`),
  },
);
const pattern: fc.Arbitrary<PatternSource> = fc
  .oneof({ weight: 3, arbitrary: name }, { weight: 1, arbitrary: expression.map((regex) => ({ regex })) })
  .filter((source) => {
    const parsed = parsePattern(source);
    return parsed.ok && testOf(parsed.pattern).ok;
  });

const registryName = fc.constantFrom('a', 'b', 'c d', 'constructor');
const prefix = fc.constantFrom(...paths);
type Rewrite = NonNullable<RuleInput['rewrite']>;

const rewrite: fc.Arbitrary<Rewrite> = fc.oneof(
  fc.record(
    {
      as: fc.constantFrom('path' as const, 'fullName' as const),
      registry: registryName,
      prefix,
      spelling: fc.constantFrom('written' as const),
    },
    { requiredKeys: ['as', 'registry'] },
  ),
  fc.record(
    { as: fc.constantFrom('flatten' as const, 'escape' as const, 'remainder' as const), registry: registryName, prefix },
    { requiredKeys: ['as', 'registry'] },
  ),
  fc.record(
    { as: fc.constant('singleRepository' as const), registry: registryName, prefix, repository: prefix },
    { requiredKeys: ['as', 'registry', 'repository'] },
  ),
  fc.record({ as: fc.constant('image' as const), image: reference, registry: registryName }, { requiredKeys: ['as', 'image'] }),
);

const rule: fc.Arbitrary<Omit<RuleInput, 'name'>> = fc
  .record(
    {
      match: fc.record(
        {
          images: fc.array(pattern, { minLength: 1, maxLength: 4 }),
          exclude: fc.array(pattern, { maxLength: 3 }),
          namespaces: fc.constantFrom<string[]>(['*'], ['**'], ['pods-*', 'x'], ['*ods-*'], ['pods-*', 'none'], ['none']),
          podLabels: fc.constantFrom<Record<string, string>>(
            { app: '' },
            { 'app.kubernetes.io/name': 'x' },
            { app: 'shop', 'x/y': 'Z_z.z' },
          ),
        },
        { requiredKeys: ['images'] },
      ),
      rewrite,
      alternatives: fc.array(rewrite, { maxLength: 3 }),
      pullSecrets: secrets,
      pullPolicy: fc.constantFrom('keep' as const, 'derive' as const, 'IfNotPresent' as const, 'Always' as const),
      onPullPolicyNever: fc.constantFrom('auto' as const, 'keep' as const, 'rewrite' as const),
      onMissingSecret: fc.constantFrom('warn' as const, 'keep' as const),
      onMutableTag: fc.constantFrom('keep' as const, 'fallBack' as const),
    },
    { requiredKeys: ['match', 'pullSecrets'] },
  )
  .map((each) => {
    const { alternatives = [], onMutableTag, pullPolicy, ...rest } = each;
    if (each.rewrite === undefined) return rest;
    return Object.assign(rest, { pullPolicy, alternatives }, alternatives.length > 0 && { onMutableTag });
  });

type Manager = NonNullable<PolicyInput['imageManagers']>[number];

const manager: fc.Arbitrary<Manager> = fc.record({
  name: fc.constantFrom(...names),
  podSelector: fc.constantFrom<NonNullable<Manager['podSelector']>>(
    { matchLabels: { managed: 'yes', 'x/y': 'Z_z.z' } },
    { matchExpressions: [{ key: 'managed', operator: 'Exists' }] },
    { matchLabels: { app: '' }, matchExpressions: [{ key: 'managed', operator: 'NotIn', values: ['yes', ''] }] },
    {
      matchExpressions: [
        { key: 'managed', operator: 'In', values: ['yes', 'no'] },
        { key: 'app', operator: 'DoesNotExist' },
      ],
    },
  ),
});

const policy: fc.Arbitrary<PolicyInput> = fc
  .record(
    {
      registries: fc.tuple(registry, registry, registry, registry),
      exclude: fc.record({ images: fc.array(pattern, { maxLength: 3 }) }),
      rules: fc.array(rule, { minLength: 1, maxLength: 14 }),
      names: fc.shuffledSubarray([...names], { minLength: 14 }),
      placeholders: fc.array(fc.constantFrom('auto', 'nginx', '"$(IMAGE)\\"', 'é'), { maxLength: 2 }),
      imageManagers: fc.array(manager, { minLength: 1, maxLength: 2 }),
    },
    { requiredKeys: ['registries', 'exclude', 'rules', 'names'] },
  )
  .map(({ registries: [a, b, c, d], rules, names: own, ...rest }) =>
    Object.assign(rest, {
      registries: Object.fromEntries([
        ['a', a],
        ['b', b],
        ['c d', c],
        ['constructor', d],
      ]),
      rules: rules.map((each, index) => ({ name: own[index] ?? '', ...each })),
    }),
  );

const someImages = fc.sample(reference, { seed: 1, numRuns: 200 });

/** Those that a MutatingAdmissionPolicy can say, and that rewrite some images. */
export const unusualTexts: fc.Arbitrary<string> = policy.map(policyText).filter((text) => {
  const { compiled } = loadPolicy(text, 'random.yaml');
  if (compiled === null) return false;
  const context = { namespace: 'pods-1', podLabels: {} };
  const rewritten = someImages.filter((image) => decideImage(compiled.table, image, context).result !== null);
  return rewritten.length >= 20 && exportAdmissionPolicy(compiled, defaults).refusals.length === 0;
});
