import { readdirSync, readFileSync } from 'node:fs';
import { test } from 'tap';

import { outdatedFiles } from '../../charts/generate.ts';
import { valuesSchema } from '../../charts/generator/schema.ts';
import { valuesTables } from '../../charts/generator/table.ts';
import { leaves, readValues, type Value } from '../../charts/generator/values.ts';
import { chartFolder, skipWithoutHelm, template } from './chart.ts';

const values = readValues(readFileSync(`${chartFolder}values.yaml`, 'utf8'));
const sources = readdirSync(`${chartFolder}templates`, { recursive: true, encoding: 'utf8' })
  .filter((file) => /\.(yaml|tpl|txt)$/.test(file))
  .map((file) => readFileSync(`${chartFolder}templates/${file}`, 'utf8'))
  .join('\n');
const mentioned = new Set([...sources.matchAll(/\.Values\.([\w.]+\w)/g)].map((match) => match[1] ?? ''));

test('the generated files are what values.yaml says', async (t) => {
  t.same(
    outdatedFiles().map(({ path }) => path),
    [],
    'run: node charts/generate.ts',
  );
});

test('each value is read by a template, and each value that a template reads is there', async (t) => {
  const paths = leaves(values).map(({ path }) => path);
  t.same(
    paths.filter((path) => !mentioned.has(path)),
    [],
    'values that do nothing',
  );
  t.same(
    [...mentioned].filter((path) => !paths.includes(path)),
    [],
    'values that nobody can set',
  );
});

const groups = (list: readonly Value[]): Value[] =>
  list.flatMap((value) => (value.children.length > 0 ? [value, ...groups(value.children)] : []));

/** `{ a: { b: inner } }` for `a.b`. */
const at = (path: string, inner: unknown): Record<string, unknown> => {
  const [head = '', ...rest] = path.split('.');
  return { [head]: rest.length === 0 ? inner : at(rest.join('.'), inner) };
};

test('a value that does not exist is refused, at every level', { skip: skipWithoutHelm }, async (t) => {
  // What a parent chart shares with all its charts may have any name.
  const misspelt = ['replicas', ...groups(values).map(({ path }) => `${path}.misspelt`)].filter((path) => !path.startsWith('global.'));
  for (const path of misspelt) {
    const { code, stderr } = await template(at(path, 1));
    t.equal(code, 1, path);
    t.match(stderr, new RegExp(path.split('.').at(-1) ?? ''), 'and named');
  }
});

const wrong: readonly (readonly [path: string, value: unknown])[] = [
  ['optIn.mode', 'optin'],
  ['optIn.value', 'a b'],
  ['rewritePolicy.inline', { rules: [{ nam: 'hub' }] }],
  ['rewritePolicy.inline', { registries: { mirror: { host: 'm.example.com', pullSecret: 'x' } } }],
  ['rewritePolicy.inline', { rules: [{ name: 'hub', match: { images: ['docker.io'] }, rewrite: { registry: 'm', as: 'pth' } }] }],
  ['tls.previousMode', 'none'],
  ['enabled', 'yes'],
  ['failurePolicy', 'ignore'],
  ['timeoutSeconds', 31],
  ['timeoutSeconds', '5'],
  ['replicaCount', 0],
  ['image.digest', 'sha256:abc'],
  ['image.pullPolicy', 'Sometimes'],
  ['rewritePolicy.inline', 3],
  ['tls.mode', 'self'],
  ['excludeNamespaces', ['team-*']],
  ['matchConditions', [{ name: 'x' }]],
  ['matchConditions', [{ name: 'x', expression: 'true', message: 'y' }]],
  ['matchConditions', [{ name: 'a=b', expression: 'true' }]],
  ['matchConditions', [{ name: 'a b', expression: 'true' }]],
  ['validatingPolicy.registries', ['nginx']],
  ['validatingPolicy.registries', ['gcr.io/foo:1']],
  ['validatingPolicy.registries', ['gcr.io/foo/']],
  ['validatingPolicy.registries', ['https://gcr.io']],
  ['validatingPolicy.registries', ['gcr.io/"] + [']],
  ['validatingPolicy.validationActions', ['Refuse']],
  ['podDisruptionBudget.maxUnavailable', 'one'],
  ['priorityClass.value', 2_000_000_000],
  ['logLevel', 'verbose'],
  ['tls.controller.bundleDelay', '0s'],
  ['tls.controller.certificateLifetime', '90 days'],
  ['controller.features.secrets', 'always'],
  ['controller.replicaCount', 0],
  ['localRegistry.nodePort', 80],
  ['localRegistry.persistence.size', '10 GB'],
];

test('a value of the wrong kind is refused', { skip: skipWithoutHelm }, async (t) => {
  for (const [path, value] of wrong) {
    const { code, stderr } = await template(at(path, value));
    t.equal(code, 1, `${path}: ${JSON.stringify(value)}`);
    t.match(stderr, /values don't meet the specifications of the schema/);
  }
});

test('values of a parent chart are taken: its condition, and what it shares', { skip: skipWithoutHelm }, async (t) => {
  const { code, stderr } = await template({ enabled: true, global: { imageRegistry: '', imagePullSecrets: [], other: 1 } });
  t.equal(code, 0, stderr);
});

test('registries that may be named', { skip: skipWithoutHelm }, async (t) => {
  const registries = ['gcr.io', 'GCR.io/foo', 'localhost', 'localhost:30500/a/b', '10.0.0.1:5000', '[fd00::1]:5000', 'docker.io/library'];
  const { code, stderr } = await template({ validatingPolicy: { enabled: true, registries } });
  t.equal(code, 0, stderr);
});

const unreadable: readonly (readonly [says: string, text: string, message: RegExp])[] = [
  ['no map', '- a', /the file: must be a map/],
  ['no comment', 'a: 1', /values\.yaml: a: has no comment/],
  ['a child without comment', '# -- A\na:\n  # -- B\n  b: 1\n  c: 2', /values\.yaml: a\.c: has no comment/],
  ['a comment of another kind', '# Just so.\na: 1', /a: its comment begins with "Just so\."/],
  ['a schema that is no JSON', '# -- A\n# @schema {type: x}\na: 1', /a: its @schema is no JSON/],
];

test('a comment that cannot be read names its value', async (t) => {
  for (const [says, text, message] of unreadable) t.throws(() => readValues(text), { code: 'VALUES_COMMENT', message }, says);
  t.throws(() => valuesSchema(readValues('# -- A\na: {}')), { message: /a: say in its @schema which additionalProperties/ });
  t.throws(() => valuesSchema(readValues('# -- A\na: []')), { message: /a: say in its @schema what its items are/ });
});

test('comments become schema and table', async (t) => {
  const text = `# About the file.

# @section -- First
# -- A group,
# on two lines.
a:
  # -- Either | or.
  # @schema {"enum":
  #   [1, 2]}
  b: 1
# @section -- Second
# -- Free.
# @default -- nothing
# @schema {"additionalProperties": true}
c: {}
`;
  const read = readValues(text);
  t.match(valuesSchema(read), {
    additionalProperties: false,
    properties: {
      a: {
        description: 'A group, on two lines.',
        additionalProperties: false,
        properties: { b: { type: 'integer', default: 1, enum: [1, 2] } },
      },
      c: { type: 'object', additionalProperties: true, description: 'Free.' },
    },
  });
  t.equal(
    valuesTables(read, '##'),
    `## First

| Value | Default | What it does |
|---|---|---|
| \`a\` |  | A group, on two lines. |
| \`a.b\` | \`1\` | Either \\| or. |

## Second

| Value | Default | What it does |
|---|---|---|
| \`c\` | nothing | Free. |
`,
  );
});
