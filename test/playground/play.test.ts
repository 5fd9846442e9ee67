/** What the playground decides is what `explain` and `lint` say. */
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { test } from 'tap';
import { play } from '../../src/playground/play.ts';
import { transship } from '../cli/terminal.ts';

const examples = fileURLToPath(new URL('../../examples/', import.meta.url));
const policies = readdirSync(examples).filter((name) => name.endsWith('.yaml'));

const images = [
  'nginx',
  'library/nginx:1.27',
  'quay.io/acme/app:2',
  'ghcr.io/acme/app',
  'gcr.io/a/b/c:1',
  'registry.k8s.io/pause:3.10',
  `docker.io/acme/app@sha256:${'a'.repeat(64)}`,
  'localhost:30500/library/nginx',
  'Not A Reference',
  'docker.io:443/library/redis',
];
const manifests = `apiVersion: apps/v1
kind: Deployment
metadata: { name: web, namespace: shop }
spec:
  template:
    metadata: { labels: { app: web } }
    spec:
      initContainers: [{ name: init, image: busybox }]
      containers:
        - { name: web, image: 'nginx:1.27' }
        - { name: side, image: quay.io/acme/app, imagePullPolicy: Never }
---
apiVersion: v1
kind: Pod
metadata: { name: b, labels: { transship.dev/rewrite: disabled } }
spec: { containers: [{ name: main, image: redis }] }
`;

/** The keys that both have. */
const shared = ({ image, outcome, rule, result, pullSecrets, reason }: Record<string, unknown>): object => ({
  image,
  outcome,
  rule,
  result,
  pullSecrets,
  reason,
});

for (const name of policies)
  test(`examples/${name}`, async (t) => {
    const file = join(examples, name);
    const text = readFileSync(file, 'utf8');
    // `explain -n` overrides the namespace of a manifest; the playground's is for those that state none.
    const rows = [
      { input: images.join('\n'), namespace: 'default', args: ['-n', 'default', '-'] },
      { input: images.join('\n'), namespace: 'shop', args: ['-n', 'shop', '-'] },
      { input: manifests, namespace: 'default', args: ['-f', '-'] },
    ];
    for (const { input, namespace, args } of rows) {
      const { stdout } = await transship(['explain', '--policy', file, '-o', 'json', ...args], input);
      const explained = stdout.trim().split('\n');
      const played = play(text, input, namespace);
      t.equal(played.problem, null);
      t.same(
        played.images.map(({ line: _line, ...each }) => shared(each)),
        explained.map((line) => shared(JSON.parse(line))),
      );
    }
  });

test('findings are those of lint', async (t) => {
  const text = 'apiVersion: transship.dev/v1\nkind: RewritePolicy\nrulez: []\n';
  const { stdout } = await transship(['lint', '-o', 'json', '-'], text);
  const [finding] = play(text, 'nginx', '').findings;
  const { line, column, severity, code, message } = JSON.parse(stdout);
  t.match(finding, { line, column, severity, code, message });
});

const cases: readonly { readonly name: string; readonly input: string; readonly expected: object }[] = [
  { name: 'nothing', input: '', expected: { images: [], problem: null } },
  { name: 'empty lines count', input: '\n\n nginx \r\n', expected: { images: [{ image: 'nginx', line: 3 }] } },
  { name: 'lines of manifests', input: manifests, expected: { images: [{ line: 10 }, { line: 11 }, { line: 8 }, { line: 16 }] } },
  { name: 'JSON', input: '{"kind":"Pod","spec":{"containers":[{"image":"nginx"}]}}', expected: { images: [{ image: 'nginx', line: 1 }] } },
  { name: 'a manifest that is not YAML', input: 'kind: Pod\nspec: [\n', expected: { images: [], problem: /the manifests:\d+:\d+/ } },
];

for (const { name, input, expected } of cases)
  test(name, (t) => {
    t.match(play(readFileSync(join(examples, 'sample.yaml'), 'utf8'), input, 'default'), expected);
    t.end();
  });
