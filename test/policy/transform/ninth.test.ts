/**
 * A ninth transform is one file and one line. It is planted into a copy of the sources, and everything that is made from the list
 * must know it: a lossy one once needed an entry in the linter too, and was forgotten there without a word.
 */
import { cpSync, readFileSync, writeFileSync } from 'node:fs';
import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { test } from 'tap';

const root = join(import.meta.dirname, '../../..');

const ninth = `
import { suffix } from '../../image/reference.ts';
import { underRegistry } from './options.ts';
import { defineTransform } from './transform.ts';

export const lastComponents = defineTransform({
  as: 'lastComponents',
  description: 'HOST/prefix/last components',
  options: { ...underRegistry, count: { type: 'integer', minimum: 1, maximum: 9, description: 'How many components are kept.' } },
  writesTo: 'registry',
  isLossy: true,
  compile(options, base) {
    return (reference) => ({ ok: true, text: \`\${base}/\${reference.path.split('/').slice(-options.count).join('/')}\${suffix(reference)}\` });
  },
});
`;

const policy = (rewrite: string): string => `apiVersion: transship.dev/v1
kind: RewritePolicy
registries: { mirror: { host: mirror.example } }
rules:
  - { name: short, match: { images: [quay.io/a/x/app, quay.io/b/x/app] }, rewrite: { registry: mirror, ${rewrite} } }
`;

test('a ninth transform is one file and one line', (t) => {
  const copy = t.testdir({});
  cpSync(join(root, 'src'), join(copy, 'src'), { recursive: true });
  cpSync(join(root, 'package.json'), join(copy, 'package.json'));
  writeFileSync(join(copy, 'src/policy/transform/last-components.ts'), ninth);
  const list = join(copy, 'src/policy/transform/transforms.ts');
  const before = readFileSync(list, 'utf8');
  const after = before
    .replace('import { path }', "import { lastComponents } from './last-components.ts';\nimport { path }")
    .replace('remainder, image, template]', 'remainder, image, template, lastComponents]');
  t.not(after, before);
  writeFileSync(list, after);

  const run = (...args: string[]): { status: number | null; text: string } => {
    // Without the loader of the test runner, which it adds to the environment of every child.
    const { status, stdout, stderr } = spawnSync('env', ['-u', 'NODE_OPTIONS', process.execPath, ...args], { cwd: copy, encoding: 'utf8' });
    return { status, text: stdout + stderr };
  };
  const lint = (rewrite: string): ReturnType<typeof run> => {
    writeFileSync(join(copy, 'policy.yaml'), policy(rewrite));
    return run('src/main.ts', 'lint', 'policy.yaml');
  };

  t.match(
    lint('as: lastComponents, count: 2'),
    { status: 0, text: /both become mirror\.example\/x\/app/ },
    'the linter warns as it is lossy',
  );
  t.match(lint('as: lastComponents, count: 0'), { status: 1, text: /policy\.yaml:5:\d+: error: .*count/ }, 'its option is checked');
  t.match(lint('as: last-components, count: 1'), { status: 1, text: /did you mean lastComponents\?/ }, 'a near miss is named');
  t.match(
    run('src/main.ts', 'explain', '--policy', 'policy.yaml', '-o', 'json', 'quay.io/a/x/app:1'),
    { status: 2 },
    'the last policy is refused as a whole',
  );
  writeFileSync(join(copy, 'policy.yaml'), policy('as: lastComponents, count: 2'));
  t.match(run('src/main.ts', 'explain', '--policy', 'policy.yaml', '-o', 'json', 'quay.io/a/x/app:1').text, 'mirror.example/x/app:1');

  t.match(
    run('src/main.ts', 'export', 'admission-policy', '--policy', 'policy.yaml'),
    { status: 1, text: /policy\.yaml:5:\d+: error: rule short: as: lastComponents: it has no expression in CEL/ },
    'an export that does not know it refuses it',
  );

  const schema = run(
    '-e',
    "import('./src/config/json-schema.ts').then(({ policyJsonSchema }) => console.log(JSON.stringify(policyJsonSchema())))",
  );
  t.match(schema.text, '"lastComponents"', 'the schema for editors has it, and with it the reference');
  t.match(schema.text, 'How many components are kept.');

  writeFileSync(join(copy, 'tsconfig.json'), JSON.stringify({ extends: join(root, 'tsconfig.json'), include: ['src'] }));
  t.match(run(join(root, 'node_modules/.bin/tsc'), '-p', copy), { status: 0, text: '' }, 'the types of a policy have it');
  t.end();
});
