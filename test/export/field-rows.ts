/** What each key and value of a policy is to an export, but for those of `rewrite`: two policies that differ in it alone. */
import type { PolicyInput as Input, RuleInput } from '../rules/policy.ts';
import { base, match, nothing, ofPods, ofPodsAlone, mirror, policy, refused, rule, said, type Row } from './field-row.ts';

const service = { namespace: 'a', name: 'b', port: 5000 };
const filled = { pullSecrets: ['s'], credentials: { secret: 't' } };
const selectors = [
  { matchLabels: { a: 'b' } },
  { matchExpressions: [{ key: 'a', operator: 'In', values: ['b'] }] },
  { matchExpressions: [{ key: 'a', operator: 'NotIn', values: ['b'] }] },
  { matchExpressions: [{ key: 'a', operator: 'Exists' }] },
  { matchExpressions: [{ key: 'a', operator: 'DoesNotExist' }] },
] as const;
/** The leaves that one of the selectors has. */
const selectorKeys = (path: string, index: number): string[] =>
  index === 0
    ? [`${path}.matchLabels.*: string`]
    : [
        `${path}.matchExpressions[].operator = ${JSON.stringify(['In', 'NotIn', 'Exists', 'DoesNotExist'][index - 1])}`,
        `${path}.matchExpressions[].key: string`,
        ...(index < 3 ? [`${path}.matchExpressions[].values[]: string`] : []),
      ];

const ofRegistries: Row[] = [
  { keys: ['registries.*.host: string'], with: mirror({ host: 'new.example.com' }), without: base, ...said },
  ...[
    {
      hostFrom: { service },
      keys: ['namespace: string', 'name: string', 'port: integer', 'via = "localhost"'].map((key) => `service.${key}`),
    },
    { hostFrom: { service: { ...service, port: 'http', via: 'nodeIP' } }, keys: ['service.port: string', 'service.via = "nodeIP"'] },
    { hostFrom: { localRegistryHosting: true }, keys: ['localRegistryHosting = true'] },
  ].map(({ hostFrom, keys }): Row =>
    Object.assign(
      {
        keys: keys.map((key) => `registries.*.hostFrom.${key}`),
        with: mirror({ hostFrom }),
        without: base,
        at: 'rules.0.rewrite.registry',
      },
      refused,
    ),
  ),
  {
    keys: ['registries.*.pullSecrets[]: string'],
    with: mirror({ pullSecrets: ['s'] }),
    without: base,
    ...ofPods,
    at: 'registries.mirror.pullSecrets',
  },
  ...(['probe', 'verify'] as const).map((key): Row =>
    Object.assign(
      {
        keys: [`registries.*.${key} = true`, `registries.*.${key} = false`],
        with: mirror({ [key]: true }),
        without: mirror({ [key]: false }),
      },
      nothing,
    ),
  ),
  ...[
    { credentials: { secret: 't' }, keys: ['secret: string'] },
    {
      credentials: { provider: 'ecr', region: 'a', registryIds: ['123456789012'] },
      keys: ['provider = "ecr"', 'region: string', 'registryIds[]: string'],
    },
    { credentials: { provider: 'gar' }, keys: ['provider = "gar"'] },
    { credentials: { provider: 'acr', tenantId: 'a' }, keys: ['provider = "acr"', 'tenantId: string'] },
  ].map(({ credentials, keys }): Row =>
    Object.assign(
      {
        keys: keys.map((key) => `registries.*.credentials.${key}`),
        with: mirror({ pullSecrets: ['s'], credentials }),
        without: mirror({ pullSecrets: ['s'] }),
      },
      nothing,
    ),
  ),
  ...[
    { more: { namespaces: ['a'] }, keys: ['registries.*.namespaces[]: string'] },
    ...selectors.map((namespaceSelector, index) => ({
      more: { namespaceSelector },
      keys: selectorKeys('registries.*.namespaceSelector', index),
    })),
    { more: { copyLabels: { a: 'b' } }, keys: ['registries.*.copyLabels.*: string'] },
    { more: { copyAnnotations: { a: 'b' } }, keys: ['registries.*.copyAnnotations.*: string'] },
  ].map(({ more, keys }): Row => Object.assign({ keys, with: mirror({ ...filled, ...more }), without: mirror(filled) }, nothing)),
];

const expression = { regex: '^quay[.]io/acme/' };
const ofMatches: Row[] = [
  { keys: ['exclude.images[]: string'], with: policy({}, { exclude: { images: ['quay.io'] } }), without: base, ...said },
  {
    keys: ['exclude.images[].regex: string'],
    with: policy({}, { exclude: { images: [expression] } }),
    without: base,
    ...ofPods,
    at: 'rules.0.match.images.1',
  },
  { keys: ['rules[].name: string'], with: policy({ name: 'other' }), without: base, ...said },
  { keys: ['rules[].match.images[]: string'], with: policy({ match: { images: ['docker.io'] } }), without: base, ...said },
  {
    keys: ['rules[].match.images[].regex: string'],
    with: policy({ match: { images: [expression] } }),
    without: base,
    ...ofPods,
    at: 'rules.0.match.images.0',
  },
  { keys: ['rules[].match.exclude[]: string'], with: policy({ match: { ...match, exclude: ['quay.io'] } }), without: base, ...said },
  {
    keys: ['rules[].match.exclude[].regex: string'],
    with: policy({ match: { ...match, exclude: [expression] } }),
    without: base,
    ...ofPods,
    at: 'rules.0.match.images.1',
  },
  {
    keys: ['rules[].match.namespaces[]: string'],
    with: policy({ match: { ...match, namespaces: ['team-*'] } }),
    without: base,
    ...ofPods,
    at: 'rules.0.match.namespaces',
  },
  {
    keys: ['rules[].match.podLabels.*: string'],
    with: policy({ match: { ...match, podLabels: { app: 'shop' } } }),
    without: base,
    ...ofPods,
    at: 'rules.0.match.podLabels',
  },
];

const secret = mirror({ pullSecrets: ['s'] });
const withSecret = (more: Partial<RuleInput>): Input => ({ ...secret, rules: [rule(more)] });
const alternative = { alternatives: [{ registry: 'other', as: 'path' }] } satisfies Partial<RuleInput>;
const ofRules: Row[] = [
  { keys: ['rules[].pullSecrets[]: string'], with: policy({ pullSecrets: ['s'] }), without: base, ...ofPods, at: 'rules.0.pullSecrets' },
  { keys: ['rules[].pullPolicy = "keep"'], with: policy({ pullPolicy: 'keep' }), without: base, ...nothing },
  ...(['derive', 'IfNotPresent', 'Always'] as const).map((pullPolicy): Row =>
    Object.assign(
      {
        keys: [`rules[].pullPolicy = "${pullPolicy}"`],
        with: policy({ pullPolicy }),
        without: base,
        at: 'rules.0.pullPolicy',
      },
      ofPods,
    ),
  ),
  { keys: ['rules[].onPullPolicyNever = "auto"'], with: policy({ onPullPolicyNever: 'auto' }), without: base, ...nothing },
  { keys: ['rules[].onPullPolicyNever = "keep"'], with: policy({ onPullPolicyNever: 'keep' }), without: base, ...ofPodsAlone },
  {
    keys: ['rules[].onPullPolicyNever = "rewrite"'],
    with: policy({ onPullPolicyNever: 'rewrite' }),
    without: base,
    ...ofPods,
    at: 'rules.0.onPullPolicyNever',
  },
  { keys: ['rules[].onMissingSecret = "warn"'], with: withSecret({ onMissingSecret: 'warn' }), without: secret, ...nothing },
  { keys: ['rules[].onMissingSecret = "keep"'], with: withSecret({ onMissingSecret: 'keep' }), without: secret, ...ofPodsAlone },
  {
    keys: ['rules[].onMutableTag = "keep"'],
    with: policy({ ...alternative, onMutableTag: 'keep' }),
    without: policy(alternative),
    ...nothing,
    isUnavailable: true,
  },
  {
    keys: ['rules[].onMutableTag = "fallBack"'],
    with: policy({ ...alternative, onMutableTag: 'fallBack' }),
    without: policy(alternative),
    ...ofPods,
    at: 'rules.0.alternatives',
    isUnavailable: true,
  },
];

const original: Row = {
  keys: ['rules[].alternatives[](original).as = "original"'],
  with: policy({ alternatives: [{ as: 'original' }] }),
  without: base,
  ...refused,
  at: 'rules.0.alternatives',
};

const managed = { name: 'm', podSelector: { matchLabels: { app: 'shop' } } };
const ofPolicy: Row[] = [
  { keys: ['apiVersion = "transship.dev/v1"', 'kind = "RewritePolicy"'], with: base, without: base, ...nothing },
  ...(['registries', 'exclude', 'rules', 'placeholders', 'imageManagers', 'tests'] as const).map((key): Row =>
    Object.assign(
      {
        keys: [`${key}: null`],
        with: { [key]: null },
        without: {},
      },
      nothing,
    ),
  ),
  { keys: ['exclude.images: null'], with: { ...base, exclude: { images: null } }, without: base, ...nothing },
  { keys: ['placeholders[]: string'], with: { ...base, placeholders: ['nginx'] }, without: base, ...ofPodsAlone },
  ...[{ matchLabels: { app: 'shop' } }, ...selectors.slice(1)].map((podSelector, index): Row => {
    const keys = ['imageManagers[].name: string', 'imageManagers[].exclude = true', ...selectorKeys('imageManagers[].podSelector', index)];
    const both: object = { matchLabels: { app: 'shop' }, ...podSelector };
    return Object.assign(
      { keys, with: { ...base, imageManagers: [{ name: 'm', podSelector: both }] }, without: base, at: 'imageManagers.0' },
      ofPods,
    );
  }),
  {
    keys: ['imageManagers[].exclude = false'],
    with: { ...base, imageManagers: [{ ...managed, exclude: false }] },
    without: base,
    ...nothing,
  },
  { keys: ['warnings = "problems"'], with: { ...base, warnings: 'problems' }, without: base, ...nothing },
  { keys: ['warnings = "rewrites"'], with: { ...base, warnings: 'rewrites' }, without: base, ...refused, at: 'warnings' },
  {
    keys: [
      'image: string',
      'becomes: string',
      'rule: string,null',
      'pullSecrets[]: string',
      'namespace: string',
      'podLabels.*: string',
      ...['rewritten', 'already-there', 'no-rule', 'excluded', 'invalid', 'refused', 'unchanged'].map(
        (outcome) => `outcome = "${outcome}"`,
      ),
    ].map((key) => `tests[].${key}`),
    with: {
      ...base,
      tests: [
        {
          image: 'ghcr.io/a',
          becomes: 'ghcr.io/a',
          rule: null,
          outcome: 'no-rule',
          pullSecrets: [],
          namespace: 'a',
          podLabels: { a: 'b' },
        },
      ],
    },
    without: base,
    ...nothing,
  },
];

export const fieldRows: readonly Row[] = [...ofRegistries, ...ofMatches, ...ofRules, original, ...ofPolicy];
